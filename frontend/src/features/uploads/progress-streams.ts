/**
 * How far uploads are, as the server tells it. A browser keeps six connections to one server; a few of them carry
 * progress, and whatever waits for one is asked about instead.
 */

import type { Upload } from '../../api/types'
import { backoffSeconds } from '../../lib/backoff'
import { isMoving } from '../../lib/upload'

const MAX_OPEN = 3

export interface EventConnection {
  close(): void
}

export interface EventHandlers {
  message(data: string): void
  error(): void
}

interface Dependencies {
  open(uploadId: string, on: EventHandlers): EventConnection
  onUpload(upload: Upload): void
  /** the line broke: ask once, which also tells why */
  onLost(uploadId: string): void
  random?: () => number
}

interface Watch {
  watchers: number
  state: 'queued' | 'open' | 'waiting' | 'over'
  connection: EventConnection | null
  attempt: number
  retryAt: number | null
  timer: ReturnType<typeof setTimeout> | undefined
}

export class ProgressStreams {
  private readonly watches = new Map<string, Watch>()
  private readonly listeners = new Set<() => void>()

  constructor(private readonly dependencies: Dependencies) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Whether the upload's events come in; where not, it has to be asked for. */
  isOpen(uploadId: string): boolean {
    return this.watches.get(uploadId)?.state === 'open'
  }

  /** When a broken line is tried again; null while it holds. */
  retryAt = (uploadId: string): number | null => this.watches.get(uploadId)?.retryAt ?? null

  watch(uploadId: string): () => void {
    const watch: Watch = this.watches.get(uploadId) ?? {
      watchers: 0,
      state: 'queued',
      connection: null,
      attempt: 0,
      retryAt: null,
      timer: undefined,
    }
    watch.watchers += 1
    this.watches.set(uploadId, watch)
    this.fill()
    return () => {
      watch.watchers -= 1
      if (watch.watchers === 0) this.end(uploadId, watch)
    }
  }

  private end(uploadId: string, watch: Watch): void {
    clearTimeout(watch.timer)
    watch.connection?.close()
    watch.connection = null
    watch.state = 'over'
    if (this.watches.get(uploadId) === watch) this.watches.delete(uploadId)
    this.fill()
  }

  private fill(): void {
    for (const [uploadId, watch] of this.watches) {
      const open = [...this.watches.values()].filter((other) => other.connection).length
      if (open >= MAX_OPEN) return
      if (watch.state === 'queued') this.open(uploadId, watch)
    }
  }

  private open(uploadId: string, watch: Watch): void {
    watch.state = 'open'
    const connection = this.dependencies.open(uploadId, {
      message: (data) => {
        if (watch.connection !== connection) return
        watch.attempt = 0
        watch.retryAt = null
        const upload = decode(data)
        if (!upload) return
        this.dependencies.onUpload(upload)
        if (!isMoving(upload)) this.close(watch, 'over')
        this.tell()
      },
      error: () => {
        if (watch.connection !== connection) return
        this.close(watch, 'waiting')
        const wait = backoffSeconds(watch.attempt, this.dependencies.random ?? Math.random) * 1000
        watch.attempt += 1
        watch.retryAt = Date.now() + wait
        watch.timer = setTimeout(() => {
          watch.state = 'queued'
          this.fill()
        }, wait)
        this.dependencies.onLost(uploadId)
        this.tell()
      },
    })
    watch.connection = connection
  }

  private close(watch: Watch, state: Watch['state']): void {
    watch.connection?.close()
    watch.connection = null
    watch.state = state
    this.fill()
  }

  private tell(): void {
    for (const listener of this.listeners) listener()
  }
}

function decode(data: string): Upload | null {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && 'upload_id' in value ? (value as Upload) : null
  } catch {
    return null
  }
}
