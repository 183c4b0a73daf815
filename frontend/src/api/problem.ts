/** An answer that is no success: RFC 9457 where the server could say why, else the plainest words for its status. */
export class ApiError extends Error {
  readonly status: number
  readonly requestId: string | null

  constructor(status: number, message: string, requestId: string | null = null) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.requestId = requestId
  }
}

const PLAIN: Record<number, string> = {
  0: 'The server cannot be reached.',
  401: 'Please sign in.',
  403: 'Your role does not allow this.',
  404: 'There is no such thing.',
  413: 'The file is too large.',
  429: 'Too many attempts. Try again in a minute.',
  502: 'The server is starting or cannot be reached.',
  503: 'The server is not ready yet.',
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function problemFrom(status: number, body: unknown): ApiError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const words = text(problem.detail) ?? text(problem.title) ?? PLAIN[status] ?? `The server answered ${status}.`
  return new ApiError(status, words, text(problem.request_id))
}
