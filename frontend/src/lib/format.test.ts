import { describe, expect, it } from 'vitest'
import {
  formatAge,
  formatBytes,
  formatDecimal,
  formatDuration,
  formatInstant,
  formatShare,
  formatSpan,
  plural,
} from './format'

describe('formats', () => {
  it.each([
    [null, '–'],
    [0, '0 s'],
    [0.02, '0.1 s'],
    [0.4, '0.4 s'],
    [48.4, '48 s'],
    [59.7, '1 m'],
    [252, '4 m 12 s'],
    [3600, '1 h'],
    [3905, '1 h 5 m'],
    [86_400 * 2 + 3 * 3600 + 59, '2 d 3 h'],
  ])('a dwell of %s s reads %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it.each([
    [-2, '0 s'],
    [8.9, '8 s'],
    [240, '4 min'],
    [7200, '2 h'],
    [90_000 * 2, '2 d'],
  ])('an age of %s s reads %s', (seconds, text) => {
    expect(formatAge(seconds)).toBe(text)
  })

  it('shows an instant in the zone asked for, not in the browser’s', () => {
    const instant = '2025-11-21T18:05:09.250000+00:00'
    expect(formatInstant(instant, 'Asia/Jakarta')).toBe('22 Nov, 01:05')
    expect(formatInstant(instant, 'UTC', 'seconds')).toBe('18:05:09')
    expect(formatInstant(instant, 'Asia/Jakarta', 'full')).toContain('GMT+7')
    expect(formatInstant(null, 'UTC')).toBe('–')
  })

  it('names the year of a span only where it is not the present one', () => {
    const now = Date.parse('2025-11-22T00:00:00Z')
    const hour = 3_600_000
    expect(formatSpan(now - hour, now, 'UTC', now)).toBe('21 Nov, 23:00 – 22 Nov, 00:00')
    const newYear = Date.parse('2025-01-01T00:00:00Z')
    expect(formatSpan(newYear - hour, newYear, 'UTC', now)).toBe('31 Dec 2024, 23:00 – 1 Jan 2025, 00:00')
  })

  it('does not divide by nothing', () => {
    expect(formatShare(1, 3)).toBe('33.3%')
    expect(formatShare(0, 0)).toBe('–')
    expect(formatDecimal(null)).toBe('–')
  })

  it('counts in the units people use', () => {
    expect(formatBytes(900)).toBe('900 B')
    expect(formatBytes(5_240_000)).toBe('5.2 MB')
    expect(plural(1, 'row')).toBe('1 row')
    expect(plural(1200, 'row')).toBe('1,200 rows')
  })
})
