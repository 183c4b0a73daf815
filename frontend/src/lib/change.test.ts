import { describe, expect, it } from 'vitest'
import { describeChange } from './change'

describe('describeChange', () => {
  it.each([
    [{ previous: 100, ratio: 0.123 }, '▲', 'up 12.3% from 100'],
    [{ previous: 100, ratio: -0.5 }, '▼', 'down 50% from 100'],
    [{ previous: 100, ratio: 0 }, '→', 'unchanged from 100'],
    [{ previous: 0, ratio: null }, '', 'from 0'],
    [{ previous: null, ratio: null }, '', 'no earlier data'],
  ])('says %o', (change, arrow, words) => {
    expect(describeChange(change, String)).toMatchObject({ arrow, words })
  })
})
