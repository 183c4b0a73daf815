/**
 * Files on their way to the server. They live outside of any page, so that another page can be looked at meanwhile,
 * and go one after the other, so that each has the whole line.
 */

import { ApiError } from '../../api/problem'
import type { Upload } from '../../api/types'
import { backoffSeconds } from '../../lib/backoff'
import { RESUMABLE_BYTES, refuseFile } from '../../lib/upload'
import type { SendOptions } from './send-file'

export interface Transfer {
  id: number
  file: File
  timezone: string
  /** by somebody; else it is a guess that has to be asked about where the file's times name no zone */
  zoneChosen: boolean
  /** under review, with nothing left to ask */
  ready: boolean
  /**
   * `review`: its preview waits for a go; `paused`: by whoever looks at it; `interrupted`: the line is gone, tried again
   * at `retryAt`
   */
  state: 'refused' | 'review' | 'waiting' | 'sending' | 'paused' | 'interrupted' | 'taken' | 'failed' | 'cancelled'
  /** goes in parts, of which those that arrived stay */
  resumable: boolean
  sent: number
  total: number
  /** of this attempt, and how much had gone before it */
  startedAt: number
  startedFrom: number
  retryAt: number | null
  attempt: number
  /** why it was refused or failed */
  reason: string | null
  /** the same bytes may succeed another time */
  mayRetry: boolean
  upload: Upload | null
}

export interface Intake {
  file: File
  timezone: string
  zoneChosen: boolean
  /** shown before it goes */
  review: boolean
}

export interface Sender {
  whole(options: SendOptions): Promise<Upload>
  inParts(options: SendOptions): Promise<Upload>
  discardParts(file: File, timezone: string): Promise<void>
}

export class Transfers {
  private transfers: readonly Transfer[] = []
  private readonly listeners = new Set<() => void>()
  private readonly stops = new Map<number, AbortController>()
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>()
  private nextId = 1
  private busy = false

  constructor(
    private readonly sender: Sender,
    private readonly onTaken: (upload: Upload) => void = () => {},
    private readonly random: () => number = Math.random,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  getSnapshot = (): readonly Transfer[] => this.transfers

  /** `maxBytes`: the most that the server takes, null where nobody knows */
  add(files: readonly Intake[], maxBytes: number | null = null): void {
    const added = files.map(({ file, timezone, zoneChosen, review }): Transfer => {
      const reason = refuseFile(file, maxBytes)
      return {
        id: this.nextId++,
        file,
        timezone,
        zoneChosen,
        ready: false,
        state: reason ? 'refused' : review ? 'review' : 'waiting',
        resumable: file.size > RESUMABLE_BYTES,
        sent: 0,
        total: file.size,
        startedAt: 0,
        startedFrom: 0,
        retryAt: null,
        attempt: 0,
        reason,
        mayRetry: false,
        upload: null,
      }
    })
    this.publish([...added.reverse(), ...this.transfers])
    void this.work()
  }

  setTimezone(id: number, timezone: string): void {
    if (this.find(id)?.state === 'review') this.change(id, { timezone, zoneChosen: true })
  }

  setReady(id: number, ready: boolean): void {
    const transfer = this.find(id)
    if (transfer?.state === 'review' && transfer.ready !== ready) this.change(id, { ready })
  }

  /** Sends what was reviewed, paused, interrupted or failed. */
  go(id: number): void {
    clearTimeout(this.timers.get(id))
    this.change(id, { state: 'waiting', retryAt: null, reason: null })
    void this.work()
  }

  pause(id: number): void {
    this.change(id, { state: 'paused' })
    this.stops.get(id)?.abort()
  }

  cancel(id: number): void {
    const transfer = this.find(id)
    if (!transfer) return
    clearTimeout(this.timers.get(id))
    this.change(id, { state: 'cancelled', retryAt: null })
    this.stops.get(id)?.abort()
    if (transfer.resumable) void this.sender.discardParts(transfer.file, transfer.timezone)
  }

  dismiss(id: number): void {
    this.publish(this.transfers.filter((transfer) => transfer.id !== id))
  }

  /** The network is back: no reason to wait. */
  retryNow(): void {
    for (const { id, state } of this.transfers) if (state === 'interrupted') this.go(id)
  }

  private find(id: number): Transfer | undefined {
    return this.transfers.find((transfer) => transfer.id === id)
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    for (let next = this.nextWaiting(); next; next = this.nextWaiting()) await this.transfer(next)
    this.busy = false
  }

  private nextWaiting(): Transfer | undefined {
    return this.transfers.findLast((transfer) => transfer.state === 'waiting')
  }

  private async transfer({ id, file, timezone, resumable }: Transfer): Promise<void> {
    const stop = new AbortController()
    this.stops.set(id, stop)
    this.change(id, { state: 'sending', startedAt: 0 })
    const send = resumable ? this.sender.inParts : this.sender.whole
    try {
      const upload = await send({
        file,
        timezone,
        signal: stop.signal,
        onProgress: (sent, total) => this.progress(id, sent, total),
      })
      if (stop.signal.aborted) return
      this.change(id, { state: 'taken', upload })
      this.onTaken(upload)
    } catch (error) {
      if (!stop.signal.aborted) this.fail(id, error)
    } finally {
      this.stops.delete(id)
    }
  }

  private progress(id: number, sent: number, total: number): void {
    const transfer = this.find(id)
    if (transfer?.state !== 'sending') return
    if (transfer.startedAt === 0) this.change(id, { startedAt: Date.now(), startedFrom: sent })
    // A part that has to go again must not make the bar run backwards.
    this.change(id, { sent: Math.max(sent, transfer.sent), total, attempt: 0 })
  }

  private fail(id: number, error: unknown): void {
    const transfer = this.find(id)
    if (!transfer) return
    if (!transfer.resumable || !isPassing(error)) {
      const mayRetry = isPassing(error) || isSignedOut(error)
      this.change(id, { state: 'failed', reason: failureText(error), mayRetry })
      if (transfer.resumable && !mayRetry) void this.sender.discardParts(transfer.file, transfer.timezone)
      return
    }
    const wait = backoffSeconds(transfer.attempt, this.random) * 1000
    this.change(id, {
      state: 'interrupted',
      reason: failureText(error),
      retryAt: Date.now() + wait,
      attempt: transfer.attempt + 1,
    })
    this.timers.set(
      id,
      setTimeout(() => this.go(id), wait),
    )
  }

  private change(id: number, change: Partial<Transfer>): void {
    this.publish(this.transfers.map((transfer) => (transfer.id === id ? { ...transfer, ...change } : transfer)))
  }

  private publish(transfers: readonly Transfer[]): void {
    this.transfers = transfers
    for (const listener of this.listeners) listener()
  }
}

/** Of the refusals these pass too: another request still holds the parts, or they come too fast. */
const PASSING_REFUSALS = [409, 423, 429]

/** A fault may pass; a refusal of the file itself does not. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true
  return error.status < 400 || error.status >= 500 || PASSING_REFUSALS.includes(error.status)
}

function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

function failureText(error: unknown): string {
  if (error instanceof ApiError && error.status === 0) {
    return 'The connection was lost before the server had answered. Sent again, nothing is counted twice.'
  }
  return error instanceof Error ? error.message : 'The upload failed.'
}
