import { problemFrom } from '../../api/problem'
import type { Upload } from '../../api/types'

export interface SendOptions {
  file: File
  timezone: string
  onProgress: (sent: number, total: number) => void
  signal: AbortSignal
}

/** XMLHttpRequest and not fetch, because only it tells how many bytes have gone. */
export function sendFile({ file, timezone, onProgress, signal }: SendOptions): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const body = new FormData()
    body.append('timezone', timezone)
    body.append('file', file)

    const request = new XMLHttpRequest()
    request.open('POST', '/api/v1/uploads')
    request.responseType = 'json'
    request.setRequestHeader('Accept', 'application/json')
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded, event.total)
    }
    request.onload = () => {
      const succeeded = request.status >= 200 && request.status < 300
      if (succeeded) resolve(request.response as Upload)
      else reject(problemFrom(request.status, request.response))
    }
    request.onerror = () => reject(problemFrom(0, null))
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(body)
  })
}
