import { describe, expect, it } from 'vitest'
import { binLabel, positionInBins } from './histogram'

const bins = [
  { from_seconds: 0, to_seconds: 10, sessions: 1 },
  { from_seconds: 10, to_seconds: 60, sessions: 1 },
  { from_seconds: 60, to_seconds: null, sessions: 1 },
]

describe('the histogram', () => {
  it.each([
    [0, 0],
    [5, 0.5],
    [10, 1],
    [35, 1.5],
    [4000, 2.5],
    [-1, null],
  ])('puts %s s at %s bins from the left', (seconds, position) => {
    expect(positionInBins(bins, seconds)).toBe(position)
  })

  it('has no line to draw without bins', () => {
    expect(positionInBins([], 5)).toBeNull()
  })

  it('names its bins', () => {
    expect(bins.map(binLabel)).toEqual(['0 s – 10 s', '10 s – 1 m', '1 m and longer'])
  })
})
