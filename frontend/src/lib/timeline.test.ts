import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Bucket, describeStep, describeTimeline, stepAt, toColumns, toSteps } from './timeline'

const bucket = (iso: string, avg: number, in_progress = false): Bucket => ({
  bucket: iso,
  occupancy_avg: avg,
  occupancy_peak: avg * 2,
  entries: 1,
  exits: 0,
  in_progress,
})
const at = (iso: string) => Date.parse(iso) / 1000

describe('the timeline', () => {
  afterEach(() => void vi.useRealTimers())

  it('draws neighbours as one run of steps that ends with the last bucket', () => {
    const steps = toSteps([bucket('2025-11-21T10:00:00Z', 1), bucket('2025-11-21T10:01:00Z', 2)], 60)
    const columns = toColumns(steps)
    expect(columns.x).toEqual([at('2025-11-21T10:00:00Z'), at('2025-11-21T10:01:00Z'), at('2025-11-21T10:02:00Z')])
    expect(columns.avg).toEqual([1, 2, 2])
    expect(columns.avgInProgress).toEqual([null, null, null])
  })

  it('draws nothing through missing buckets', () => {
    const steps = toSteps([bucket('2025-11-21T10:00:00Z', 1), bucket('2025-11-21T10:05:00Z', 3)], 60)
    expect(toColumns(steps).avg).toEqual([1, 1, null, 3, 3])
    expect(stepAt(steps, at('2025-11-21T10:02:00Z'))).toBeNull()
  })

  it('takes days of 23 and 25 hours for whole days', () => {
    const steps = toSteps(
      [
        bucket('2025-10-25T00:00:00+02:00', 1),
        bucket('2025-10-26T00:00:00+02:00', 2),
        bucket('2025-10-27T00:00:00+01:00', 3),
      ],
      86_400,
    )
    expect(steps.map((step) => (step.end - step.start) / 3600)).toEqual([24, 25, 24])
    expect(toColumns(steps).avg).toEqual([1, 2, 3, 3])
  })

  it('keeps the bucket in progress apart and lets the run before it end where it begins', () => {
    const steps = toSteps([bucket('2025-11-21T10:00:00Z', 4), bucket('2025-11-21T10:01:00Z', 1, true)], 60)
    const columns = toColumns(steps)
    expect(columns.avg).toEqual([4, 4, null])
    expect(columns.avgInProgress).toEqual([null, 1, 1])
  })

  it('leaves out what lies before the first data or in the future, where nought would be a claim', () => {
    const hours = ['08', '09', '10', '11'].map((hour) => bucket(`2025-11-21T${hour}:00:00Z`, 0))
    const steps = toSteps(hours, 3600, at('2025-11-21T09:00:00Z'), at('2025-11-21T10:30:00Z'))
    expect(steps.map((step) => step.bucket.slice(11, 13))).toEqual(['09', '10'])
  })

  it('finds the bucket under a moment', () => {
    const steps = toSteps([bucket('2025-11-21T10:00:00Z', 1), bucket('2025-11-21T10:01:00Z', 2)], 60)
    expect(stepAt(steps, at('2025-11-21T09:59:59Z'))).toBeNull()
    expect(stepAt(steps, at('2025-11-21T10:00:59Z'))?.occupancy_avg).toBe(1)
    expect(stepAt(steps, at('2025-11-21T10:01:00Z'))?.occupancy_avg).toBe(2)
    expect(stepAt(steps, at('2025-11-21T10:02:00Z'))).toBeNull()
  })

  it('says in words what it shows', () => {
    vi.useFakeTimers({ now: Date.parse('2025-11-21T12:00:00Z') })
    const steps = toSteps([bucket('2025-11-21T10:00:00Z', 1), bucket('2025-11-21T10:01:00Z', 2.25, true)], 60)
    expect(describeTimeline(steps, 'Asia/Jakarta')).toBe(
      '21 Nov, 17:00 – 21 Nov, 17:02: at most 5 at once, at 21 Nov, 17:01.',
    )
    expect(describeTimeline([], 'UTC')).toBe('No occupancy in this range.')
    expect(describeStep(toSteps([bucket('2025-11-21T10:01:00Z', 2, true)], 60)[0] as never, 'UTC')).toBe(
      '21 Nov, 10:01–10:02: average 2, peak 4, 1 in, 0 out (in progress)',
    )
  })
})
