import type { PreviousUpload, UploadOptions } from 'tus-js-client'
import { api, unwrap } from '../../api/client'
import { ApiError, problemFrom } from '../../api/problem'
import type { Upload } from '../../api/types'
import type { SendOptions } from './send-file'

/** What a broken line costs at most. */
const PART_BYTES = 8 * 1024 * 1024

/** The parts are there, or gone for good: on the server, or for whoever is signed in now. */
const GOES_ON = [200, 204, 403, 404, 410]

/** What this browser began to send and did not finish. */
export interface Unfinished {
  key: string
  fileName: string
  size: number
  timezone: string
  begunAt: string
}

const library = () => import('tus-js-client')

function identity(file: File): string {
  return ['dwell', file.name, file.size, file.lastModified].join('-')
}

/** The same file with the same zone; another zone makes another upload of it. */
function fingerprint(file: File, timezone: string): string {
  return `${identity(file)}-${timezone}`
}

export function isPartOf(unfinished: Unfinished, file: File): boolean {
  return unfinished.key.startsWith(`tus::${identity(file)}-`)
}

function settings(file: File, timezone: string): UploadOptions {
  return {
    endpoint: `${location.origin}/api/v1/tus`,
    chunkSize: PART_BYTES,
    // Whoever called tries again, and can say when.
    retryDelays: [],
    metadata: { filename: file.name, timezone },
    fingerprint: async () => fingerprint(file, timezone),
  }
}

/**
 * In parts, each safe once the server has answered. Sent again, after a pause or a reload, the same file goes on where
 * it stopped: the browser remembers where the parts lie.
 */
export async function sendResumable({ file, timezone, onProgress, signal }: SendOptions): Promise<Upload> {
  const { Upload: Parts, DetailedError } = await library()
  const { id, duplicate } = await new Promise<{ id: string; duplicate: boolean }>((resolve, reject) => {
    const parts = new Parts(file, {
      ...settings(file, timezone),
      onProgress: (sent, total) => onProgress(sent, total ?? file.size),
      onSuccess: ({ lastResponse }) => {
        const given = lastResponse.getHeader('Upload-Id')
        if (given) resolve({ id: given, duplicate: lastResponse.getHeader('Upload-Duplicate') === 'true' })
        else reject(new Error('The server took the file but did not say under which number.'))
      },
      onAfterResponse: (request, answer) => {
        // Whatever else goes wrong with the question how much is there, the library would begin anew at the first byte.
        if (request.getMethod() === 'HEAD' && !GOES_ON.includes(answer.getStatus())) {
          throw problemFrom(answer.getStatus(), null)
        }
      },
      onError: (error) => {
        const { originalResponse: answer = null, causingError = null } = error instanceof DetailedError ? error : {}
        if (causingError instanceof ApiError) reject(causingError)
        else reject(problemFrom(answer?.getStatus() ?? 0, answer ? parsed(answer.getBody()) : null))
      },
    })
    signal.addEventListener('abort', () => {
      void parts.abort()
      reject(new DOMException('stopped', 'AbortError'))
    })
    void parts.findPreviousUploads().then((earlier) => {
      const newest = earlier.sort((a, b) => a.creationTime.localeCompare(b.creationTime)).at(-1)
      if (newest) parts.resumeFromPreviousUpload(newest)
      if (!signal.aborted) parts.start()
    }, reject)
  })
  const upload = await unwrap(api.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } }, signal }))
  await forgetParts(file, timezone)
  return { ...upload, duplicate }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** Gives up what was sent of a file, here and on the server. */
export async function discardParts(file: File, timezone: string): Promise<void> {
  const { Upload: Parts } = await library()
  for (const { uploadUrl } of await forgetParts(file, timezone)) {
    // A server that has dropped them already has nothing left to discard.
    if (uploadUrl) await Parts.terminate(uploadUrl, { retryDelays: [] }).catch(() => {})
  }
}

async function forgetParts(file: File, timezone: string): Promise<PreviousUpload[]> {
  const { defaultOptions } = await library()
  const found = await defaultOptions.urlStorage.findUploadsByFingerprint(fingerprint(file, timezone))
  for (const { urlStorageKey } of found) await defaultOptions.urlStorage.removeUpload(urlStorageKey)
  return found
}

export async function findUnfinished(): Promise<Unfinished[]> {
  const { defaultOptions } = await library()
  const all = await defaultOptions.urlStorage.findAllUploads()
  return all
    .map(({ urlStorageKey, size, metadata, creationTime }) => ({
      key: urlStorageKey,
      fileName: metadata.filename ?? '',
      size: size ?? 0,
      timezone: metadata.timezone ?? 'UTC',
      begunAt: creationTime,
    }))
    .sort((a, b) => b.begunAt.localeCompare(a.begunAt))
}

export async function forgetUnfinished(key: string): Promise<void> {
  const { defaultOptions } = await library()
  await defaultOptions.urlStorage.removeUpload(key)
}
