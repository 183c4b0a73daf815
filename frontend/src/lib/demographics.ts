import type { DemographicGroup } from '../api/types'

export const OTHER = 'other'

export interface AgeRow {
  age_group: string
  sessions: number
  byGender: { gender: string; sessions: number }[]
}

export interface Breakdown {
  rows: AgeRow[]
  genders: { gender: string; sessions: number }[]
  sessions: number
}

function lowestAge(group: string): number {
  const digits = /\d+/.exec(group)
  return digits ? Number(digits[0]) : Number.MAX_SAFE_INTEGER
}

function otherLast(a: string, b: string): number {
  return Number(a === OTHER) - Number(b === OTHER)
}

/** Sessions by age group and gender. "other" always has its row and its column, also where nobody is in it. */
export function breakDown(groups: readonly DemographicGroup[]): Breakdown {
  const ages = [...new Set([...groups.map((group) => group.age_group), OTHER])].sort(
    (a, b) => otherLast(a, b) || lowestAge(a) - lowestAge(b) || a.localeCompare(b),
  )
  const genders = [...new Set([...groups.map((group) => group.gender), OTHER])].sort(
    (a, b) => otherLast(a, b) || a.localeCompare(b),
  )
  const count = (matches: (group: DemographicGroup) => boolean) =>
    groups.filter(matches).reduce((sum, group) => sum + group.sessions, 0)

  return {
    rows: ages.map((age) => ({
      age_group: age,
      sessions: count((group) => group.age_group === age),
      byGender: genders.map((gender) => ({
        gender,
        sessions: count((group) => group.age_group === age && group.gender === gender),
      })),
    })),
    genders: genders.map((gender) => ({ gender, sessions: count((group) => group.gender === gender) })),
    sessions: count(() => true),
  }
}
