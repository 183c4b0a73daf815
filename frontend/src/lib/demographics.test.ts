import { describe, expect, it } from 'vitest'
import type { DemographicGroup } from '../api/types'
import { breakDown } from './demographics'

const group = (age_group: string, gender: string, sessions: number): DemographicGroup => ({
  age_group,
  gender,
  sessions,
  visitors: sessions,
  dwell_avg_seconds: null,
  dwell_median_seconds: null,
})

describe('breakDown', () => {
  it('orders ages by their lowest year and puts other last', () => {
    const { rows, genders } = breakDown([
      group('other', 'other', 1),
      group('60+', 'male', 2),
      group('7-17', 'female', 3),
      group('18-25', 'male', 4),
    ])
    expect(rows.map((row) => row.age_group)).toEqual(['7-17', '18-25', '60+', 'other'])
    expect(genders).toEqual([
      { gender: 'female', sessions: 3 },
      { gender: 'male', sessions: 6 },
      { gender: 'other', sessions: 1 },
    ])
  })

  it('shows other even where nobody is in it, and adds up', () => {
    const { rows, sessions } = breakDown([group('18-25', 'male', 4), group('18-25', 'female', 5)])
    expect(rows.at(-1)).toEqual({
      age_group: 'other',
      sessions: 0,
      byGender: [
        { gender: 'female', sessions: 0 },
        { gender: 'male', sessions: 0 },
        { gender: 'other', sessions: 0 },
      ],
    })
    expect(sessions).toBe(9)
  })
})
