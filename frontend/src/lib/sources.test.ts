import { describe, expect, it } from 'vitest'
import { aSource } from '../test/samples'
import { isHeard, notLive, readSpan, secondsToRetry, spanWords, standing } from './sources'

const now = Date.parse('2025-11-21T10:00:00Z')
const zone = 'Asia/Jakarta'

describe('a source', () => {
  it('whose connector has fallen silent is not what it was', () => {
    const silent = aSource({ state: 'live', stale: true })
    expect(standing(silent)).toBe('silent')
    expect(isHeard(silent)).toBe(false)
  })

  it('is known to be heard where it asks, not where it waits to be called', () => {
    const heard = ['sse', 'history', 'webhook', 'kafka'].filter((kind) => isHeard(aSource({ kind })))
    expect(heard).toEqual(['sse', 'history'])
    expect(isHeard(aSource({ state: 'retrying' }))).toBe(false)
  })

  it('counts down to its next attempt, and only while it waits for one', () => {
    const waiting = aSource({ state: 'retrying', next_retry_at: '2025-11-21T10:00:07.400Z' })
    expect(secondsToRetry(waiting, now)).toBe(8)
    expect(secondsToRetry(waiting, now + 60_000)).toBe(0)
    expect(secondsToRetry({ ...waiting, state: 'live' }, now)).toBeNull()
    expect(secondsToRetry({ ...waiting, stale: true }, now)).toBeNull()
    expect(secondsToRetry({ ...waiting, next_retry_at: null }, now)).toBeNull()
  })
})

describe('those that are not live', () => {
  it.each([
    ['live', false],
    ['starting', false],
    ['catching_up', true],
    ['retrying', true],
    ['paused', true],
    ['failed', true],
  ] as const)('%s: %s', (state, named) => {
    expect(notLive([aSource({ state })])).toHaveLength(named ? 1 : 0)
  })

  it('include one that nothing is heard of', () => {
    expect(notLive([aSource({ stale: true })])).toHaveLength(1)
  })
})

describe('a span', () => {
  it('is told with seconds within a day and with both days beyond it', () => {
    expect(spanWords({ since: '2025-11-21T10:00:05Z', until: '2025-11-21T10:31:00Z' }, zone)).toBe(
      '21 Nov, 17:00:05 – 17:31:00',
    )
    expect(spanWords({ since: '2025-11-21T10:00:05Z', until: '2025-11-21T19:31:00Z' }, zone)).toBe(
      '21 Nov, 17:00:05 – 22 Nov, 02:31:00',
    )
  })

  it('is read in the zone of the page', () => {
    expect(readSpan('2025-11-21T16:00', '2025-11-21T17:00', zone, now)).toEqual({
      since: '2025-11-21T09:00:00.000Z',
      until: '2025-11-21T10:00:00.000Z',
    })
  })

  it.each([
    ['', '2025-11-21T17:00', 'Give both a beginning and an end.'],
    ['2025-11-21T17:00', '2025-11-21T16:00', 'The end must come after the beginning.'],
    ['2025-11-22T17:00', '2025-11-22T18:00', 'That time has not come yet.'],
  ])('from %s to %s is refused', (since, until, words) => {
    expect(readSpan(since, until, zone, now)).toBe(words)
  })
})
