import { describe, expect, it } from 'vitest'
import { anUpload } from '../test/samples'
import { refuseFile, rejectReason, rejectsByCount, sendingProgress, serverProgress } from './upload'

describe('a file before it is sent', () => {
  it.each([
    ['day.csv', 10],
    ['DAY.CSV', 10],
    ['day.csv.gz', 10],
    ['insights.json', 10],
    ['events.ndjson.gz', 10],
  ])('%s may go', (name, size) => {
    expect(refuseFile({ name, size })).toBeNull()
  })

  it.each([
    ['setup.exe', 10, 'Not a CSV or JSON file'],
    ['day.csv.zip', 10, 'Not a CSV or JSON file'],
    ['day.csv', 0, 'empty'],
    ['day.csv', 3 * 1024 ** 3, 'more than the limit of 2 GB'],
  ])('%s of %s bytes may not, and it says why', (name, size, reason) => {
    expect(refuseFile({ name, size })).toContain(reason)
  })
})

describe('progress', () => {
  it('tells what is sent, how fast and how long it will take', () => {
    expect(sendingProgress(4_000_000, 10_000_000, 2)).toEqual({
      phase: 'Uploading',
      detail: '4 MB of 10 MB · 2 MB/s · 3 s left',
      fraction: 0.4,
    })
  })

  it('does not stand at the end while the server still works', () => {
    expect(sendingProgress(10, 10, 2).fraction).toBeNull()
    expect(serverProgress(anUpload({ status: 'received' }))?.fraction).toBeNull()
    const processing = anUpload({ status: 'processing', bytes_done: 100, bytes_total: 100, rows_total: 1 })
    expect(serverProgress(processing)).toEqual({
      phase: 'Reading rows',
      detail: '1 row read, 12 rejected',
      fraction: null,
    })
  })

  it('follows the bytes that the server has read', () => {
    const processing = anUpload({ status: 'processing', bytes_done: 25, bytes_total: 100 })
    expect(serverProgress(processing)?.fraction).toBe(0.25)
    expect(serverProgress(anUpload({ status: 'completed' }))).toBeNull()
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
