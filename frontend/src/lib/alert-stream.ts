/**
 * The connection over which alerts arrive. It says hello with the last cursor it saw, so that what it missed comes
 * first; it tells when the server cannot give that back; and it reconnects by itself, later each time.
 */

import type { StreamedAlert } from './alerts'
import { backoffSeconds } from './backoff'
import { SILENCE_SECONDS } from './freshness'

/** Bounds the memory of a tab that stays open for days; older alerts come from the list. */
const MAX_ALERTS = 5000
/** At a hundred alerts a second the screen is redrawn five times a second, not a hundred. */
const FLUSH_MS = 200

const UNAUTHENTICATED = 4401

export type Frame =
  | { type: 'welcome'; cursor: string; recovered: boolean }
  | { type: 'alerts'; cursor: string; items: StreamedAlert[] }
  | {
      type: 'heartbeat'
      cursor: string
      server_time: string
      newest_event_time: string | null
      source_heartbeat_at: string | null
    }
  | { type: 'bye'; code: number; retry_after: number | null }

export interface StreamSnapshot {
  connection: 'connecting' | 'open' | 'waiting'
  /** epoch milliseconds by this browser's clock */
  lastFrameAt: number | null
  retryAt: number | null
  /** milliseconds by which the server's clock is ahead of this browser's */
  clockOffset: number
  newestEventTime: string | null
  sourceHeartbeatAt: string | null
  alerts: ReadonlyMap<string, StreamedAlert>
}

export interface Socket {
  send(text: string): void
  close(): void
}

export interface SocketHandlers {
  open(): void
  message(data: unknown): void
  close(): void
}

interface Dependencies {
  address(): Promise<string>
  open(url: string, on: SocketHandlers): Socket
  /** the server cannot give back what was missed: read the list again */
  onGap(): void
  /** the server does not know this browser's login (any more) */
  onSignedOut(): void
  random?: () => number
}

const EMPTY: StreamSnapshot = {
  connection: 'connecting',
  lastFrameAt: null,
  retryAt: null,
  clockOffset: 0,
  newestEventTime: null,
  sourceHeartbeatAt: null,
  alerts: new Map(),
}

export class AlertStream {
  private snapshot = EMPTY
  private arriving: Map<string, StreamedAlert> | null = null
  private listeners = new Set<() => void>()
  private socket: Socket | null = null
  private cursor: string | null = null
  private attempt = 0
  private running = false
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private silenceTimer: ReturnType<typeof setTimeout> | undefined
  private flushTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly dependencies: Dependencies) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  getSnapshot = (): StreamSnapshot => this.snapshot

  start(): void {
    if (this.running) return
    this.running = true
    void this.connect()
  }

  stop(): void {
    this.running = false
    clearTimeout(this.retryTimer)
    clearTimeout(this.flushTimer)
    this.flushTimer = undefined
    this.drop()
    this.cursor = null
    this.attempt = 0
    this.arriving = null
    this.publish(EMPTY)
  }

  /** The network is back: no reason to wait. */
  retryNow(): void {
    if (this.snapshot.connection !== 'waiting') return
    clearTimeout(this.retryTimer)
    void this.connect()
  }

  private async connect(): Promise<void> {
    this.publish({ connection: 'connecting', retryAt: null })
    try {
      const url = await this.dependencies.address()
      if (!this.running || this.socket) return
      this.listen(url)
    } catch {
      this.wait(null)
    }
  }

  private listen(url: string): void {
    const socket = this.dependencies.open(url, {
      open: () => socket.send(JSON.stringify({ type: 'hello', token: null, filters: {}, last: this.cursor })),
      message: (data) => {
        const frame = decodeFrame(data)
        if (frame && this.socket === socket) this.receive(frame)
      },
      close: () => {
        if (this.socket === socket) this.wait(null)
      },
    })
    this.socket = socket
    this.expectFrame()
  }

  private receive(frame: Frame): void {
    this.expectFrame()
    if (frame.type === 'bye') {
      if (frame.code === UNAUTHENTICATED) this.dependencies.onSignedOut()
      this.wait(frame.retry_after)
      return
    }
    const now = Date.now()
    this.cursor = frame.cursor
    if (frame.type === 'welcome') {
      this.attempt = 0
      if (!frame.recovered) this.dependencies.onGap()
      this.publish({ connection: 'open', lastFrameAt: now })
    } else if (frame.type === 'heartbeat') {
      this.publish({
        lastFrameAt: now,
        clockOffset: Date.parse(frame.server_time) - now,
        newestEventTime: frame.newest_event_time,
        sourceHeartbeatAt: frame.source_heartbeat_at,
      })
    } else {
      this.collect(frame.items, now)
    }
  }

  private collect(items: StreamedAlert[], now: number): void {
    const alerts = this.arriving ?? new Map(this.snapshot.alerts)
    for (const alert of items) {
      const known = alerts.get(alert.alert_id)
      if (known && known.revision >= alert.revision) continue
      // Removed first, so that the map stays in the order of arrival and its head is the oldest.
      alerts.delete(alert.alert_id)
      alerts.set(alert.alert_id, alert)
    }
    for (const id of alerts.keys()) {
      if (alerts.size <= MAX_ALERTS) break
      alerts.delete(id)
    }
    this.arriving = alerts
    this.flushTimer ??= setTimeout(() => this.publish({ lastFrameAt: now }), FLUSH_MS)
  }

  private expectFrame(): void {
    clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => this.wait(null), SILENCE_SECONDS * 1000)
  }

  private wait(retryAfter: number | null): void {
    this.drop()
    if (!this.running) return
    const seconds = retryAfter ?? backoffSeconds(this.attempt, this.dependencies.random ?? Math.random)
    this.attempt += 1
    this.publish({ connection: 'waiting', retryAt: Date.now() + seconds * 1000 })
    clearTimeout(this.retryTimer)
    this.retryTimer = setTimeout(() => void this.connect(), seconds * 1000)
  }

  private drop(): void {
    clearTimeout(this.silenceTimer)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private publish(change: Partial<StreamSnapshot>): void {
    clearTimeout(this.flushTimer)
    this.flushTimer = undefined
    this.snapshot = { ...this.snapshot, alerts: this.arriving ?? this.snapshot.alerts, ...change }
    this.arriving = null
    for (const listener of this.listeners) listener()
  }
}

function decodeFrame(data: unknown): Frame | null {
  if (typeof data !== 'string') return null
  try {
    const frame: unknown = JSON.parse(data)
    const known = ['welcome', 'alerts', 'heartbeat', 'bye']
    return typeof frame === 'object' && frame !== null && 'type' in frame && known.includes(frame.type as string)
      ? (frame as Frame)
      : null
  } catch {
    return null
  }
}
