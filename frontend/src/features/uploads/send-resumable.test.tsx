import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeServer } from '../../test/fake-server'
import { anUpload } from '../../test/samples'
import { discardParts, findUnfinished, isPartOf, sendResumable } from './send-resumable'

interface Stored {
  urlStorageKey: string
  uploadUrl: string
  size: number
  metadata: Record<string, string>
  creationTime: string
}

const library = vi.hoisted(() => {
  class DetailedError extends Error {
    constructor(
      readonly originalResponse: { getStatus(): number; getBody(): string } | null,
      readonly causingError: Error | null = null,
    ) {
      super('failed')
    }
  }
  const stored: Stored[] = []
  class Upload {
    static last: Upload
    static readonly terminated: string[] = []
    static async terminate(url: string) {
      Upload.terminated.push(url)
    }
    resumed: Stored | null = null
    started = false
    aborted = false
    constructor(
      readonly file: File,
      readonly options: Record<string, unknown> & {
        onSuccess(payload: unknown): void
        onError(error: Error): void
        onAfterResponse(request: unknown, response: unknown): void
        fingerprint(): Promise<string>
      },
    ) {
      Upload.last = this
    }
    async findPreviousUploads() {
      return storage.findUploadsByFingerprint(await this.options.fingerprint())
    }
    resumeFromPreviousUpload(previous: Stored) {
      this.resumed = previous
    }
    start() {
      this.started = true
    }
    async abort() {
      this.aborted = true
    }
  }
  const storage = {
    findAllUploads: async () => [...stored],
    findUploadsByFingerprint: async (print: string) =>
      stored.filter(({ urlStorageKey }) => urlStorageKey.startsWith(`tus::${print}::`)),
    removeUpload: async (key: string) => {
      stored.splice(
        stored.findIndex(({ urlStorageKey }) => urlStorageKey === key),
        1,
      )
    },
  }
  return { DetailedError, Upload, stored, defaultOptions: { urlStorage: storage } }
})

vi.mock('tus-js-client', () => library)

const file = new File(['a,b'], 'big.csv', { lastModified: 1 })

function begun(change: Partial<Stored> = {}): Stored {
  return {
    urlStorageKey: 'tus::dwell-big.csv-3-1-UTC::9',
    uploadUrl: '/api/v1/tus/9',
    size: 3,
    metadata: { filename: 'big.csv', timezone: 'UTC' },
    creationTime: '2025-11-21T10:00:00Z',
    ...change,
  }
}

async function sending(signal = new AbortController().signal) {
  const onProgress = vi.fn()
  const before = library.Upload.last
  const result = sendResumable({ file, timezone: 'UTC', onProgress, signal })
  result.catch(() => {})
  await vi.waitFor(() => expect(library.Upload.last !== before && library.Upload.last.started).toBe(true))
  return { parts: library.Upload.last, result, onProgress }
}

const answer = (headers: Record<string, string>) => ({ lastResponse: { getHeader: (name: string) => headers[name] } })

describe('a large file', () => {
  beforeEach(() => {
    library.stored.length = 0
    library.Upload.terminated.length = 0
  })

  it('goes to the resumable address with its name and zone, and ends as the upload the server names', async () => {
    new FakeServer().on('GET /uploads/up-9', anUpload({ upload_id: 'up-9' })).install()
    const { parts, result } = await sending()
    expect(parts.options).toMatchObject({
      endpoint: `${location.origin}/api/v1/tus`,
      metadata: { filename: 'big.csv', timezone: 'UTC' },
    })
    library.stored.push(begun())
    parts.options.onSuccess(answer({ 'Upload-Id': 'up-9' }))
    expect(await result).toMatchObject({ upload_id: 'up-9', duplicate: false })
    expect(library.stored).toEqual([])
  })

  it('says when the server had the same bytes before', async () => {
    new FakeServer().on('GET /uploads/up-9', anUpload()).install()
    const { parts, result } = await sending()
    parts.options.onSuccess(answer({ 'Upload-Id': 'up-9', 'Upload-Duplicate': 'true' }))
    expect(await result).toMatchObject({ duplicate: true })
  })

  it('goes on where the browser remembers to have stopped', async () => {
    library.stored.push(begun(), begun({ urlStorageKey: 'tus::dwell-big.csv-3-1-UTC::10', creationTime: '2025-11-22' }))
    const { parts } = await sending()
    expect(parts.resumed?.urlStorageKey).toBe('tus::dwell-big.csv-3-1-UTC::10')
  })

  it('stops when told to and keeps what had arrived', async () => {
    library.stored.push(begun())
    const stop = new AbortController()
    const { parts, result } = await sending(stop.signal)
    stop.abort()
    await expect(result).rejects.toThrow('stopped')
    expect(parts.aborted).toBe(true)
    expect(library.stored).toHaveLength(1)
  })

  it('fails with the server’s own words, or with those of a broken line', async () => {
    const refused = await sending()
    const response = { getStatus: () => 422, getBody: () => '{"detail":"no camera_id column"}' }
    refused.parts.options.onError(new library.DetailedError(response))
    await expect(refused.result).rejects.toMatchObject({ status: 422, message: 'no camera_id column' })

    const broken = await sending()
    broken.parts.options.onError(new library.DetailedError(null))
    await expect(broken.result).rejects.toMatchObject({ status: 0 })
  })

  it('does not begin anew because the server cannot say at the moment how much it has', async () => {
    const { parts, result } = await sending()
    const head = { getMethod: () => 'HEAD' }
    expect(() => parts.options.onAfterResponse(head, { getStatus: () => 404 })).not.toThrow()
    expect(() => parts.options.onAfterResponse({ getMethod: () => 'PATCH' }, { getStatus: () => 502 })).not.toThrow()
    try {
      parts.options.onAfterResponse(head, { getStatus: () => 502 })
    } catch (cause) {
      parts.options.onError(new library.DetailedError(null, cause as Error))
    }
    await expect(result).rejects.toMatchObject({ status: 502 })
  })

  it('is given up here and on the server', async () => {
    library.stored.push(begun(), begun({ urlStorageKey: 'tus::dwell-other.csv-3-1-UTC::4' }))
    await discardParts(file, 'UTC')
    expect(library.Upload.terminated).toEqual(['/api/v1/tus/9'])
    expect(library.stored.map(({ urlStorageKey }) => urlStorageKey)).toEqual(['tus::dwell-other.csv-3-1-UTC::4'])
  })

  it('is found again among the unfinished, whatever its zone was', async () => {
    library.stored.push(
      begun({
        urlStorageKey: 'tus::dwell-big.csv-3-1-Asia/Jakarta::9',
        metadata: { filename: 'big.csv', timezone: 'Asia/Jakarta' },
      }),
    )
    const [unfinished] = await findUnfinished()
    expect(unfinished).toMatchObject({ fileName: 'big.csv', size: 3, timezone: 'Asia/Jakarta' })
    expect(unfinished && isPartOf(unfinished, file)).toBe(true)
    expect(unfinished && isPartOf(unfinished, new File(['a,c'], 'big.csv', { lastModified: 2 }))).toBe(false)
  })
})
