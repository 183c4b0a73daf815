import { describe, expect, it } from 'vitest'
import { addResults, describeReplay, mayReplay, uploadRow } from './quarantine'

const result = { replayed: 0, accepted: 0, rejected: [], remaining: 0, next_cursor: null }

describe('what was refused', () => {
  it('is found in its file', () => {
    expect(uploadRow('upload:9a1d#17')).toEqual({ uploadId: '9a1d', line: 17 })
    expect(uploadRow('kafka:appearances.v1/3/17')).toBeNull()
    expect(uploadRow('upload:9a1d')).toBeNull()
  })

  it('can run again when a file or a camera brought it', () => {
    expect(['upload:9a1d#1', 'corsight:main', 'kafka:insights.v1/0/1'].map(mayReplay)).toEqual([true, true, false])
  })
})

describe('a second run', () => {
  it('is told in one sentence', () => {
    expect(describeReplay(result)).toBe('No row was left to run again.')
    expect(describeReplay({ ...result, replayed: 1, accepted: 1 })).toBe('1 row ran again: 1 in.')
    const rejected = [{ quarantine_id: 'q', reason_code: 'bad_json', reason: 'no' }]
    expect(describeReplay({ ...result, replayed: 1200, accepted: 1199, rejected })).toBe(
      '1,200 rows ran again: 1,199 in, 1 still refused.',
    )
  })

  it('adds up what came in several answers', () => {
    const rejected = (quarantine_id: string) => [{ quarantine_id, reason_code: 'bad_json', reason: 'no' }]
    const sum = addResults(
      { replayed: 5, accepted: 4, rejected: rejected('a'), remaining: 2, next_cursor: 'c' },
      { replayed: 2, accepted: 1, rejected: rejected('b'), remaining: 0, next_cursor: null },
    )
    expect(sum).toEqual({
      replayed: 7,
      accepted: 5,
      rejected: [...rejected('a'), ...rejected('b')],
      remaining: 0,
      next_cursor: null,
    })
  })
})
