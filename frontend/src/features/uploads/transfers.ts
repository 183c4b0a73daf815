/**
 * Files on their way to the server. They live outside of any page, so that another page can be looked at meanwhile,
 * and go one after the other, so that each has the whole line.
 */

import { ApiError } from '../../api/problem'
import type { Upload } from '../../api/types'
import { refuseFile } from '../../lib/upload'
import type { SendOptions } from './send-file'

export interface Transfer {
  id: number
  file: File
  timezone: string
  state: 'refused' | 'waiting' | 'sending' | 'taken' | 'failed' | 'cancelled'
  sent: number
  total: number
  startedAt: number
  /** why it was refused or failed */
  reason: string | null
  /** the same bytes may succeed another time */
  mayRetry: boolean
  upload: Upload | null
}

type Send = (options: SendOptions) => Promise<Upload>

export class Transfers {
  private transfers: readonly Transfer[] = []
  private readonly listeners = new Set<() => void>()
  private readonly cancels = new Map<number, AbortController>()
  private nextId = 1
  private busy = false

  constructor(
    private readonly send: Send,
    private readonly onTaken: (upload: Upload) => void = () => {},
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  getSnapshot = (): readonly Transfer[] => this.transfers

  add(files: readonly File[], timezone: string): void {
    const added = files.map((file): Transfer => {
      const reason = refuseFile(file)
      return {
        id: this.nextId++,
        file,
        timezone,
        state: reason ? 'refused' : 'waiting',
        sent: 0,
        total: file.size,
        startedAt: 0,
        reason,
        mayRetry: false,
        upload: null,
      }
    })
    this.publish([...added.reverse(), ...this.transfers])
    void this.work()
  }

  retry(id: number): void {
    this.change(id, { state: 'waiting', sent: 0, reason: null })
    void this.work()
  }

  cancel(id: number): void {
    this.cancels.get(id)?.abort()
    const transfer = this.transfers.find((other) => other.id === id)
    if (transfer?.state === 'waiting') this.change(id, { state: 'cancelled' })
  }

  dismiss(id: number): void {
    this.publish(this.transfers.filter((transfer) => transfer.id !== id))
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

  private async transfer({ id, file, timezone }: Transfer): Promise<void> {
    const cancel = new AbortController()
    this.cancels.set(id, cancel)
    this.change(id, { state: 'sending', startedAt: Date.now() })
    try {
      const upload = await this.send({
        file,
        timezone,
        signal: cancel.signal,
        onProgress: (sent, total) => this.change(id, { sent, total }),
      })
      this.change(id, { state: 'taken', upload })
      this.onTaken(upload)
    } catch (error) {
      if (cancel.signal.aborted) this.change(id, { state: 'cancelled' })
      else this.change(id, { state: 'failed', reason: failureText(error), mayRetry: isPassing(error) })
    } finally {
      this.cancels.delete(id)
    }
  }

  private change(id: number, change: Partial<Transfer>): void {
    this.publish(this.transfers.map((transfer) => (transfer.id === id ? { ...transfer, ...change } : transfer)))
  }

  private publish(transfers: readonly Transfer[]): void {
    this.transfers = transfers
    for (const listener of this.listeners) listener()
  }
}

/** A fault may pass; a refusal of the file itself does not. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status < 400 || error.status >= 500 || error.status === 429
}

function failureText(error: unknown): string {
  if (error instanceof ApiError && error.status === 0) {
    return 'The connection was lost before the server had the whole file. Nothing of it was saved.'
  }
  return error instanceof Error ? error.message : 'The upload failed.'
}
