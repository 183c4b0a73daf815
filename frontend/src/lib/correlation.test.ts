import { describe, expect, it } from 'vitest'
import { describeCorrelation } from './correlation'

describe('describeCorrelation', () => {
  it.each([
    [null, 7, 'Not enough overlap (n = 7)', /at least 8 hours/],
    [null, 24, 'No number (n = 24)', /same in every hour/],
    [0.617, 31, 'r = 0.62, n = 31 hours', /more insights/],
    [-0.617, 31, 'r = −0.62, n = 31 hours', /fewer insights/],
    [0.1, 31, 'r = 0.10, n = 31 hours', /about as many/],
  ])('r %s over %s hours', (r, n, headline, meaning) => {
    const said = describeCorrelation(r, n)
    expect(said.headline).toBe(headline)
    expect(said.meaning).toMatch(meaning)
  })
})
