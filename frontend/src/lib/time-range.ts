import { startOfDay } from './zone'

export const PRESETS = {
  today: 'Today',
  yesterday: 'Yesterday',
  '24h': 'Last 24 h',
  '48h': 'Last 48 h',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
} as const

export type Preset = keyof typeof PRESETS

/** Two days, so that a day of history loaded onto yesterday and today's live feed are both in view. */
export const DEFAULT_PRESET: Preset = '48h'

/** Epoch milliseconds; `from` inclusive, `to` exclusive. `live` means that the range still grows. */
export interface TimeRange {
  from: number
  to: number
  live: boolean
}

const HOUR = 3_600_000
const LENGTHS: Record<Exclude<Preset, 'today' | 'yesterday'>, number> = {
  '24h': 24 * HOUR,
  '48h': 48 * HOUR,
  '7d': 7 * 24 * HOUR,
  '30d': 30 * 24 * HOUR,
}

export function isPreset(value: unknown): value is Preset {
  return typeof value === 'string' && Object.hasOwn(PRESETS, value)
}

/** `now` is where a growing range ends: the caller rounds it up, so that what has just happened is inside. */
export function resolveRange(
  chosen: { range?: Preset | undefined; from?: string | undefined; to?: string | undefined },
  now: number,
  zone: string,
): TimeRange {
  if (chosen.from && chosen.to) {
    const to = Date.parse(chosen.to)
    return { from: Date.parse(chosen.from), to, live: to >= now }
  }
  const preset = chosen.range ?? DEFAULT_PRESET
  if (preset === 'today') return { from: startOfDay(now - 1, zone), to: now, live: true }
  if (preset === 'yesterday') {
    return { from: startOfDay(now - 1, zone, -1), to: startOfDay(now - 1, zone), live: false }
  }
  return { from: now - LENGTHS[preset], to: now, live: true }
}

/** Those that the timeline can be asked for, in seconds. */
const BUCKETS = [60, 300, 900, 3600, 21_600, 86_400, 604_800]
/** More steps than this are narrower than three pixels of a wide screen. */
const MOST_STEPS = 400

export function bucketFor(range: { from: number; to: number }): number {
  const seconds = (range.to - range.from) / 1000
  return BUCKETS.find((bucket) => seconds / bucket <= MOST_STEPS) ?? 604_800
}

const MINUTE = 60_000

/** Whole minutes around a stretch that was drawn by hand. */
export function snapToMinutes(from: number, to: number): { from: number; to: number } {
  return { from: Math.floor(from / MINUTE) * MINUTE, to: Math.ceil(to / MINUTE) * MINUTE }
}

export function toIso(instant: number): string {
  return new Date(instant).toISOString()
}
