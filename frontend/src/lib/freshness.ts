/** How far what is on the screen lies behind the cameras. Never "live" unless both the connection and a source say so. */

import { formatAge, formatInstant } from './format'

/** As the interface judges a source: `live`, `delayed`, `stale`. */
const LIVE_SECONDS = 60
const DELAYED_SECONDS = 300
/** Two and a half heartbeats of the stream, which come every 10 s. */
export const SILENCE_SECONDS = 25

export type FreshnessState = 'connecting' | 'live' | 'delayed' | 'stale' | 'offline'

export interface Freshness {
  state: FreshnessState
  word: string
  detail: string
}

export interface FreshnessInput {
  /** epoch milliseconds, by the server's clock where it is known */
  now: number
  connection: 'connecting' | 'open' | 'waiting'
  lastFrameAt: number | null
  retryAt: number | null
  /** newest sign of life of any camera source */
  sourceHeartbeat: number | null
  newestEvent: number | null
  zone: string
}

export function freshness(input: FreshnessInput): Freshness {
  const { now, newestEvent, zone } = input
  const shown = newestEvent === null ? '' : `data to ${formatInstant(newestEvent, zone, 'time')}`
  if (input.connection === 'waiting') {
    const wait = input.retryAt === null ? 0 : Math.max(0, Math.ceil((input.retryAt - now) / 1000))
    return { state: 'offline', word: 'Offline', detail: joined(shown, `reconnecting in ${wait} s`) }
  }
  if (input.connection === 'connecting' || input.lastFrameAt === null) {
    return { state: 'connecting', word: 'Connecting', detail: shown }
  }
  if ((now - input.lastFrameAt) / 1000 > SILENCE_SECONDS) {
    return { state: 'offline', word: 'Offline', detail: joined(shown, 'no answer from the server') }
  }

  // A source that says it is alive and saw nobody is live; without such word only a recent event is.
  const lastSign = Math.max(input.sourceHeartbeat ?? 0, newestEvent ?? 0)
  if (lastSign === 0) return { state: 'stale', word: 'No live source', detail: '' }
  const silence = (now - lastSign) / 1000
  if (silence <= LIVE_SECONDS) {
    const detail = newestEvent === null ? '' : `newest event ${formatAge((now - newestEvent) / 1000)} ago`
    return { state: 'live', word: 'Live', detail }
  }
  if (silence <= DELAYED_SECONDS) return { state: 'delayed', word: 'Delayed', detail: formatAge(silence) }
  return { state: 'stale', word: 'Stale', detail: `since ${sinceText(lastSign, now, zone)}` }
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(', ')
}

function sinceText(instant: number, now: number, zone: string): string {
  return formatInstant(instant, zone, now - instant > 12 * 3_600_000 ? 'minute' : 'time')
}
