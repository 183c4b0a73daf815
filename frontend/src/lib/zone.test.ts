import { describe, expect, it } from 'vitest'
import {
  fromLocalInput,
  fromWall,
  isTimeZone,
  offsetMinutes,
  startOfDay,
  toLocalInput,
  zoneExample,
  zoneLabel,
} from './zone'

const at = (iso: string) => Date.parse(iso)

describe('zones', () => {
  it.each([
    ['2025-11-21T16:59:00Z', '2025-11-20T17:00:00Z'],
    ['2025-11-21T17:00:00Z', '2025-11-21T17:00:00Z'],
  ])('starts the day of %s in Jakarta at %s', (instant, midnight) => {
    expect(startOfDay(at(instant), 'Asia/Jakarta')).toBe(at(midnight))
  })

  it('counts 23 and 25 hours in the days on which Berlin changes its clocks', () => {
    const hours = (iso: string) =>
      (startOfDay(at(iso), 'Europe/Berlin', 1) - startOfDay(at(iso), 'Europe/Berlin')) / 3_600_000
    expect(hours('2025-03-30T12:00:00Z')).toBe(23)
    expect(hours('2025-10-26T12:00:00Z')).toBe(25)
    expect(hours('2025-11-21T12:00:00Z')).toBe(24)
  })

  it('crosses the end of a month', () => {
    expect(startOfDay(at('2025-12-31T12:00:00Z'), 'UTC', 1)).toBe(at('2026-01-01T00:00:00Z'))
  })

  it('takes the first of a repeated wall time and moves a skipped one past the skip', () => {
    const wall = (day: number, month: number) => ({ year: 2025, month, day, hour: 2, minute: 30, second: 0 })
    expect(fromWall(wall(26, 10), 'Europe/Berlin')).toBe(at('2025-10-26T00:30:00Z'))
    expect(fromWall(wall(30, 3), 'Europe/Berlin')).toBe(at('2025-03-30T01:30:00Z'))
  })

  it('names a zone with its offset at that moment', () => {
    expect(zoneLabel('Asia/Jakarta', at('2025-11-21T00:00:00Z'))).toBe('Asia/Jakarta, UTC+7')
    expect(zoneLabel('Asia/Kolkata', at('2025-11-21T00:00:00Z'))).toBe('Asia/Kolkata, UTC+5:30')
    expect(zoneLabel('America/New_York', at('2025-07-01T00:00:00Z'))).toBe('America/New_York, UTC−4')
    expect(zoneLabel('UTC', 0)).toBe('UTC')
  })

  it('reads back from a local input what it wrote', () => {
    const instant = at('2025-11-21T07:05:00Z')
    expect(toLocalInput(instant, 'Asia/Jakarta')).toBe('2025-11-21T14:05')
    expect(fromLocalInput('2025-11-21T14:05', 'Asia/Jakarta')).toBe(instant)
    expect(fromLocalInput('', 'Asia/Jakarta')).toBeNull()
  })

  it('shows by an example what a zone does to a time', () => {
    expect(zoneExample('Asia/Jakarta')).toBe('10:00 in the file is 03:00 UTC')
    expect(zoneExample('UTC')).toBe('10:00 in the file is 10:00 UTC')
  })

  it('knows a zone from other text', () => {
    expect(isTimeZone('Asia/Jakarta')).toBe(true)
    expect(isTimeZone('Mars/Olympus')).toBe(false)
    expect(offsetMinutes(at('2025-11-21T00:00:00.500Z'), 'Asia/Jakarta')).toBe(420)
  })
})
