/** Occupancy buckets as the columns that the chart draws: steps, with nothing drawn where nothing is known. */

import { formatCount, formatDecimal, formatInstant, formatSpan } from './format'

export interface Bucket {
  bucket: string
  occupancy_avg: number
  occupancy_peak: number
  entries: number
  exits: number
  in_progress: boolean
}

export interface Step extends Bucket {
  /** epoch seconds */
  start: number
  end: number
}

type Column = (number | null)[]

/** Columns share `x` (epoch seconds); the bucket that is still filling has columns of its own. */
export interface TimelineColumns {
  x: number[]
  avg: Column
  peak: Column
  avgInProgress: Column
  peakInProgress: Column
}

/**
 * Buckets with their ends, from `since` (when the first data came) to `until` (now), both in seconds: outside of them
 * the server counts nobody because nothing is known, and a nought would say that the place was empty.
 *
 * A bucket ends where the next begins, if that is near: days of 23 and 25 hours are whole days, and only more than
 * one and a half lengths make a gap.
 */
export function toSteps(points: readonly Bucket[], bucketSeconds: number, since = 0, until = Infinity): Step[] {
  const starts = points.map((point) => Date.parse(point.bucket) / 1000)
  return points
    .map((point, index) => {
      const start = starts[index] ?? 0
      const next = starts[index + 1]
      const end = next !== undefined && next - start <= bucketSeconds * 1.5 ? next : start + bucketSeconds
      return { ...point, start, end }
    })
    .filter((step) => step.end > since && step.start < until)
}

export function toColumns(steps: readonly Step[]): TimelineColumns {
  const columns: TimelineColumns = { x: [], avg: [], peak: [], avgInProgress: [], peakInProgress: [] }
  const push = (x: number, done: Step | null, filling: Step | null) => {
    columns.x.push(x)
    columns.avg.push(done?.occupancy_avg ?? null)
    columns.peak.push(done?.occupancy_peak ?? null)
    columns.avgInProgress.push(filling?.occupancy_avg ?? null)
    columns.peakInProgress.push(filling?.occupancy_peak ?? null)
  }
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1]
    const joined = before?.end === step.start
    if (step.in_progress) push(step.start, joined ? before : null, step)
    else push(step.start, step, null)
    const next = steps[index + 1]
    if (next?.start === step.end) continue
    push(step.end, step.in_progress ? null : step, step.in_progress ? step : null)
    if (next) push((step.end + next.start) / 2, null, null)
  }
  return columns
}

export function stepAt(steps: readonly Step[], seconds: number): Step | null {
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((steps[middle]?.start ?? 0) <= seconds) low = middle + 1
    else high = middle
  }
  const step = steps[low - 1]
  return step && seconds < step.end ? step : null
}

export function describeStep(step: Step, zone: string): string {
  const span = `${formatInstant(step.start * 1000, zone)}–${formatInstant(step.end * 1000, zone, 'time')}`
  const numbers = `average ${formatDecimal(step.occupancy_avg)}, peak ${formatCount(step.occupancy_peak)}, ${formatCount(step.entries)} in, ${formatCount(step.exits)} out`
  return `${span}: ${numbers}${step.in_progress ? ' (in progress)' : ''}`
}

/** The sentence that stands for the chart where it cannot be seen. */
export function describeTimeline(steps: readonly Step[], zone: string): string {
  const first = steps[0]
  const last = steps.at(-1)
  if (!first || !last) return 'No occupancy in this range.'
  const busiest = steps.reduce((best, step) => (step.occupancy_peak > best.occupancy_peak ? step : best))
  const span = formatSpan(first.start * 1000, last.end * 1000, zone)
  return `${span}: at most ${formatCount(busiest.occupancy_peak)} at once, at ${formatInstant(busiest.start * 1000, zone)}.`
}
