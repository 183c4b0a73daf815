import type { Source } from '../api/types'
import { formatInstant } from './format'
import { fromLocalInput } from './zone'

/** The state in which a source is; of one whose connector has fallen silent nobody knows it. */
export type Standing = Source['state'] | 'silent'

export function standing({ state, stale }: Source): Standing {
  return stale ? 'silent' : state
}

/** How events come in, for somebody who does not know the settings. */
const KINDS: Record<string, string> = {
  sse: 'event stream',
  history: 'history, asked for on a schedule',
  webhook: 'webhook, called by the camera system',
  kafka: 'mirrored from a Kafka topic',
}

export function kindWords(kind: string): string {
  return KINDS[kind] ?? kind
}

/** Whole seconds to the next attempt, 0 where it is due; null while none is planned. */
export function secondsToRetry(source: Source, now: number): number | null {
  if (standing(source) !== 'retrying' || source.next_retry_at === null) return null
  return Math.max(0, Math.ceil((Date.parse(source.next_retry_at) - now) / 1000))
}

/** Live at most means that these are ready: whether anybody would send them something, they cannot know. */
const LISTENERS = ['webhook', 'kafka']

/** Known to hear the camera system, also while nobody passes its cameras. */
export function isHeard(source: Source): boolean {
  return standing(source) === 'live' && !LISTENERS.includes(source.kind)
}

/** Those without which the figures of now may be incomplete; one that has just begun is given its time. */
export function notLive(sources: readonly Source[]): Source[] {
  return sources.filter((source) => !['live', 'starting'].includes(standing(source)))
}

export interface Span {
  since: string
  until: string
}

export function spanWords({ since, until }: Span, zone: string): string {
  const [from, to] = [Date.parse(since), Date.parse(until)]
  const sameDay = formatInstant(from, zone, 'day') === formatInstant(to, zone, 'day')
  return `${formatInstant(from, zone, 'moment')} – ${formatInstant(to, zone, sameDay ? 'seconds' : 'moment')}`
}

/** What two fields of a form ask for, or why that cannot be asked. */
export function readSpan(since: string, until: string, zone: string, now: number): Span | string {
  const from = fromLocalInput(since, zone)
  const to = fromLocalInput(until, zone)
  if (from === null || to === null) return 'Give both a beginning and an end.'
  if (from >= to) return 'The end must come after the beginning.'
  if (from >= now) return 'That time has not come yet.'
  return { since: new Date(from).toISOString(), until: new Date(to).toISOString() }
}
