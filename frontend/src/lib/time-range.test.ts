import { describe, expect, it } from 'vitest'
import { bucketFor, type Preset, resolveRange, snapToMinutes, toIso } from './time-range'

const now = Date.parse('2025-11-21T18:30:00Z')

describe('resolveRange', () => {
  it.each<[Preset | undefined, string, string, boolean]>([
    ['today', '2025-11-21T17:00:00.000Z', '2025-11-21T18:30:00.000Z', true],
    ['yesterday', '2025-11-20T17:00:00.000Z', '2025-11-21T17:00:00.000Z', false],
    ['24h', '2025-11-20T18:30:00.000Z', '2025-11-21T18:30:00.000Z', true],
    ['7d', '2025-11-14T18:30:00.000Z', '2025-11-21T18:30:00.000Z', true],
    [undefined, '2025-11-19T18:30:00.000Z', '2025-11-21T18:30:00.000Z', true],
  ])('reads %s in the zone asked for', (range, from, to, live) => {
    const resolved = resolveRange({ range }, now, 'Asia/Jakarta')
    expect([toIso(resolved.from), toIso(resolved.to), resolved.live]).toEqual([from, to, live])
  })

  it('prefers two instants to a preset and knows whether they still grow', () => {
    const past = { range: '7d' as const, from: '2025-11-01T00:00:00Z', to: '2025-11-02T00:00:00Z' }
    expect(resolveRange(past, now, 'UTC')).toEqual({
      from: Date.parse(past.from),
      to: Date.parse(past.to),
      live: false,
    })
    expect(resolveRange({ from: past.from, to: '2025-12-01T00:00:00Z' }, now, 'UTC').live).toBe(true)
  })

  it('still shows the whole day when asked at midnight sharp', () => {
    const midnight = Date.parse('2025-11-21T17:00:00Z')
    expect(toIso(resolveRange({ range: 'today' }, midnight, 'Asia/Jakarta').from)).toBe('2025-11-20T17:00:00.000Z')
  })
})

describe('snapToMinutes', () => {
  it('takes in the whole of the minutes that were touched', () => {
    expect(snapToMinutes(61_000, 119_500)).toEqual({ from: 60_000, to: 120_000 })
  })
})

describe('bucketFor', () => {
  it.each([
    [1, 60],
    [24, 300],
    [48, 900],
    [7 * 24, 3600],
    [30 * 24, 21_600],
    [365 * 24, 86_400],
    [50 * 365 * 24, 604_800],
  ])('cuts %s hours into steps of %s s', (hours, seconds) => {
    expect(bucketFor({ from: 0, to: hours * 3_600_000 })).toBe(seconds)
  })
})
