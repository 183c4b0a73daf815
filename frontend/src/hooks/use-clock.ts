import { useSyncExternalStore } from 'react'

class Clock {
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly stepMs: number,
    readonly read: () => number,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    this.timer ??= this.schedule()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) {
        clearTimeout(this.timer)
        this.timer = undefined
      }
    }
  }

  private schedule(): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => {
        this.timer = this.schedule()
        for (const listener of this.listeners) listener()
      },
      this.stepMs - (Date.now() % this.stepMs) + 1,
    )
  }
}

const MINUTE = 60_000
const minute = new Clock(MINUTE, () => Math.ceil(Date.now() / MINUTE) * MINUTE)
const second = new Clock(1000, () => Math.floor(Date.now() / 1000) * 1000)

/** The end of the current minute: what the panels of one page share as "now", so that they show the same range. */
export function useMinute(): number {
  return useSyncExternalStore(minute.subscribe, minute.read)
}

/** The current second, for ages and countdowns. */
export function useSecond(): number {
  return useSyncExternalStore(second.subscribe, second.read)
}
