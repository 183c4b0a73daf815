import { describe, expect, it } from 'vitest'
import { anUpload } from '../test/samples'
import {
  actionsOn,
  isMoving,
  refuseFile,
  rejectReason,
  rejectsByCount,
  sendingProgress,
  serverProgress,
  UPLOAD_GROUPS,
} from './upload'

describe('a file before it is sent', () => {
  it.each([
    ['day.csv', 10],
    ['DAY.CSV', 10],
    ['day.csv.gz', 10],
    ['insights.json', 10],
    ['events.ndjson.gz', 10],
  ])('%s may go', (name, size) => {
    expect(refuseFile({ name, size }, 2_000_000_000)).toBeNull()
  })

  it.each([
    ['setup.exe', 10, 'Not a CSV or JSON file'],
    ['day.csv.zip', 10, 'Not a CSV or JSON file'],
    ['day.csv', 0, 'empty'],
    ['day.csv', 3 * 1024 ** 3, 'more than the limit of 2 GB'],
  ])('%s of %s bytes may not, and it says why', (name, size, reason) => {
    expect(refuseFile({ name, size }, 2_000_000_000)).toContain(reason)
  })

  it('may be of any size while nobody knows the limit', () => {
    expect(refuseFile({ name: 'day.csv', size: 3 * 1024 ** 4 }, null)).toBeNull()
  })
})

describe('progress', () => {
  it('tells what is sent, how fast and how long it will take', () => {
    expect(sendingProgress(4_000_000, 10_000_000, 2)).toEqual({
      phase: 'receiving',
      detail: '4 MB of 10 MB · 2 MB/s · 3 s left',
      fraction: 0.4,
    })
  })

  it('counts as its speed only what went in this attempt', () => {
    expect(sendingProgress(6_000_000, 10_000_000, 2, 4_000_000).detail).toBe('6 MB of 10 MB · 1 MB/s · 4 s left')
  })

  it('does not stand at the end while the server still works', () => {
    expect(sendingProgress(10, 10, 2).fraction).toBeNull()
    expect(serverProgress(anUpload({ status: 'received' }))?.fraction).toBeNull()
    const processing = anUpload({ status: 'processing', phase: 'publishing', bytes_done: 100, bytes_total: 100 })
    expect(serverProgress(processing)).toMatchObject({ phase: 'publishing', fraction: null })
    expect(serverProgress(anUpload({ phase: 'settling' }))).toMatchObject({ phase: 'settling', fraction: null })
  })

  it('follows the bytes and rows that the server has read', () => {
    const counts = { rows_total: 1, rows_accepted: 0, rows_rejected: 1 }
    const processing = anUpload({ status: 'processing', phase: 'parsing', bytes_done: 25, bytes_total: 100, ...counts })
    expect(serverProgress(processing)).toEqual({
      phase: 'parsing',
      detail: '25 B of 100 B · 1 row read, 0 accepted, 1 rejected (100%)',
      fraction: 0.25,
    })
  })

  it('is that of taking back while an upload is undone', () => {
    const withdrawing = anUpload({ status: 'processing', phase: 'settling', withdrawing: true })
    expect(serverProgress(withdrawing)).toMatchObject({
      phase: 'settling',
      detail: expect.stringContaining('taken back'),
    })
    expect(actionsOn(withdrawing)).toEqual([])
  })

  it.each(['needs_decision', 'failed', 'cancelled', 'withdrawn', 'completed'] as const)(
    'is none of one that is %s',
    (status) => {
      expect(serverProgress(anUpload({ status }))).toBeNull()
    },
  )
})

describe('an upload', () => {
  it.each([
    ['received', 'receiving', true],
    ['processing', 'parsing', true],
    ['needs_decision', 'parsing', false],
    ['completed', 'settling', true],
    ['completed', 'done', false],
    ['withdrawn', null, false],
  ] as const)('that is %s, %s: does it move? %s', (status, phase, moves) => {
    expect(isMoving(anUpload({ status, phase }))).toBe(moves)
  })

  it.each([
    ['processing', 5, ['cancel']],
    ['needs_decision', 0, ['decide']],
    ['completed', 5, ['undo']],
    ['failed', 0, ['retry']],
    ['cancelled', 5, ['retry', 'undo']],
    ['withdrawn', 5, []],
  ] as const)('that is %s with %s rows in can be: %s', (status, rows_accepted, actions) => {
    expect(actionsOn(anUpload({ status, rows_accepted }))).toEqual(actions)
  })

  it('is found in exactly one part of the history, whatever its state', () => {
    const listed = Object.values(UPLOAD_GROUPS).flatMap(({ statuses }) => statuses)
    expect([...listed].sort()).toEqual(
      ['received', 'processing', 'needs_decision', 'completed', 'failed', 'cancelled', 'withdrawn'].sort(),
    )
  })
})

describe('rejected rows', () => {
  it('are listed with the commonest reason first', () => {
    const upload = anUpload({ rejects_by_reason: { bad_json: 1, negative_dwell: 9, bad_timestamp: 1 } })
    expect(rejectsByCount(upload)).toEqual([
      ['negative_dwell', 9],
      ['bad_json', 1],
      ['bad_timestamp', 1],
    ])
  })

  it('are given a reason in words', () => {
    expect(rejectReason('negative_dwell')).toBe('the end lies before the start')
    expect(rejectReason('brand_new')).toBe('brand new')
  })
})
