import { describe, expect, it } from 'vitest'
import { aPreview } from '../test/samples'
import { describeFormat, rowColumns, rowValue, sortColumns, utcColumn } from './preview'

describe('a preview', () => {
  it('says what kind of file it is', () => {
    expect(describeFormat(aPreview())).toBe('CSV in UTF-8, separated by semicolons')
    const report = aPreview({ format: 'ndjson', delimiter: null, gzipped: true })
    expect(describeFormat(report)).toBe('NDJSON in UTF-8, gzipped')
    expect(describeFormat(aPreview({ format: null, encoding: null, delimiter: null }))).toBe('Unknown format')
    expect(describeFormat(aPreview({ delimiter: '~' }))).toContain('separated by “~”')
  })

  it('names the column of times that speaks for UTC', () => {
    const { columns } = aPreview()
    expect(utcColumn(columns)).toBe('utc_time_st')
    expect(utcColumn(columns.map((column) => ({ ...column, header: `our_${column.header}` })))).toBeNull()
    expect(utcColumn([])).toBeNull()
  })

  it('parts what is read from what is kept and what is left out', () => {
    const { read, kept, dropped } = sortColumns(aPreview().columns)
    expect(read.map(({ header }) => header)).toEqual(['person_id', 'utc_time_st'])
    expect(kept.map(({ header }) => header)).toEqual(['shoe_size'])
    expect(dropped.map(({ header }) => header)).toEqual(['face_crop_img'])
  })

  it('has a column for what any of its rows says, in the order of reading', () => {
    const row = (item: { [key: string]: unknown } | null) => ({ line: 2, reason_code: null, reason: null, item })
    const rows = [
      row({ gender: 'male', person_id: 'p', subject_id: 'p' }),
      row(null),
      row({ camera_id: 'c', gender: null }),
    ]
    expect(rowColumns(rows).map(({ header }) => header)).toEqual(['Person', 'Camera', 'Gender'])
  })

  it.each([
    ['started_at', '2025-11-21T17:00:00+07:00', '21 Nov, 10:00:00'],
    ['started_at', 'not a time', 'not a time'],
    ['dwell_seconds', 252, '4 m 12 s'],
    ['people_count', 3, '3'],
    ['gender', null, ''],
    ['zone', { name: 'x' }, '{"name":"x"}'],
  ])('writes %s %s as %s', (field, value, text) => {
    expect(rowValue(field, value)).toBe(text)
  })
})
