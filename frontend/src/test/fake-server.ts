import { vi } from 'vitest'
import type { FilterOptions, User } from '../api/types'
import { aPreview, aSummary } from './samples'

type Answer = unknown | ((url: URL, request: Request) => unknown)

/** An answer that is no success, as the interface gives it. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {}
}

export const ME: User = { user_id: 'u', email: 'admin@example.com', role: 'admin' }

export const OPTIONS: FilterOptions = {
  cameras: [
    {
      camera_id: 'cam-05',
      description: 'Checkout 1',
      camera_group: null,
      department: null,
      division: null,
      zone: null,
      camera_category: 'cashier',
    },
  ],
  age_groups: ['18-25', 'other'],
  genders: ['female', 'male', 'other'],
  site_timezone: 'Asia/Jakarta',
  first_day: '2025-11-20',
  last_day: '2025-11-21',
}

const READS = ['GET', 'OPTIONS']

const EMPTY_PAGE = { items: [], next_cursor: null, total: 0 }

/** Answers by method and path; what a test does not name has an answer that disturbs nothing. */
export class FakeServer {
  readonly asked: URL[] = []
  /** what was sent with calls that change something, oldest first */
  readonly sent: { call: string; body: unknown }[] = []

  private readonly answers = new Map<string, Answer>([
    ['GET /auth/me', ME],
    ['POST /auth/login', { access_token: 't', token_type: 'bearer', expires_in: 60 }],
    ['GET /filters', OPTIONS],
    ['GET /live', { url: 'ws://127.0.0.1:8001/ws/alerts' }],
    ['GET /sources', { items: [], sink_lag_records: 0 }],
    ['GET /alerts', EMPTY_PAGE],
    ['GET /uploads', EMPTY_PAGE],
    ['POST /uploads/preview', aPreview()],
    ['OPTIONS /tus', new Response(null, { status: 204, headers: { 'Tus-Max-Size': '20000000000' } })],
    ['GET /quarantine', EMPTY_PAGE],
    ['GET /quarantine/groups', { items: [] }],
    ['GET /sessions', EMPTY_PAGE],
    ['GET /analytics/summary', aSummary()],
    ['GET /analytics/occupancy/timeline', { bucket_seconds: 900, timezone: 'Asia/Jakarta', points: [] }],
    ['GET /analytics/dwell/histogram', { bins: [], sessions: 0, dwell_median_seconds: null, dwell_p95_seconds: null }],
    ['GET /analytics/demographics', { groups: [], sessions: 0 }],
  ])

  on(call: string, answer: Answer): this {
    this.answers.set(call, answer)
    return this
  }

  /** The queries with which `path` was asked, oldest first. */
  queries(path: string): URLSearchParams[] {
    return this.asked.filter((url) => url.pathname === `/api/v1${path}`).map((url) => url.searchParams)
  }

  install(): this {
    vi.stubGlobal('fetch', async (request: Request) => {
      const url = new URL(request.url)
      this.asked.push(url)
      const call = `${request.method} ${decodeURIComponent(url.pathname.replace('/api/v1', ''))}`
      if (!READS.includes(request.method)) this.sent.push({ call, body: await bodyOf(request) })
      const answer = this.answers.get(call)
      const body = typeof answer === 'function' ? answer(url, request) : answer
      if (body === undefined) return Response.json({ title: 'Not Found' }, { status: 404 })
      if (body instanceof Response) return body.clone()
      return body instanceof Refusal
        ? Response.json({ title: 'Refused', detail: body.detail }, { status: body.status })
        : Response.json(body)
    })
    return this
  }
}

async function bodyOf(request: Request): Promise<unknown> {
  const text = await request.clone().text()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The progress of an upload, as far as the page can tell. */
export class FakeEventSource {
  static opened: FakeEventSource[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onerror: (() => void) | null = null
  closed = false

  constructor(readonly url: string) {
    FakeEventSource.opened.push(this)
  }
  close() {
    this.closed = true
  }
  say(upload: unknown) {
    this.onmessage?.({ data: JSON.stringify(upload) })
  }
}

/** The alert socket, as far as the page can tell. */
export class FakeWebSocket {
  static last: FakeWebSocket | null = null
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  constructor(readonly url: string) {
    FakeWebSocket.last = this
  }
  send() {}
  close() {
    this.onclose?.()
  }
  say(frame: unknown) {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
}
