import createClient from 'openapi-fetch'
import { ApiError, problemFrom } from './problem'
import type { paths } from './schema.gen'

// The session cookie is httpOnly and of this origin: no token is ever within the reach of a script.
export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: 'same-origin',
  fetch: (request) => fetch(request),
})

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw problemFrom(0, null)
  }
  if (!answer.response.ok) throw problemFrom(answer.response.status, answer.error)
  return answer.data as T
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}
