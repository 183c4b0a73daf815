import type { UploadPreview } from '../api/types'
import { formatDuration, formatInstant } from './format'

type Column = UploadPreview['columns'][number]
type Row = UploadPreview['rows'][number]

/** How a column was recognised, for somebody who knows the file but not the program. */
const HOW: Record<Column['how'], string> = {
  exact: 'by its name',
  alias: 'by another name it has',
  truncated: 'by the beginning of its name',
  fused: 'two names run together',
  extra: 'not known',
  image: 'an image',
}

export function recognisedBy(how: Column['how']): string {
  return HOW[how]
}

export function sortColumns(columns: readonly Column[]): { read: Column[]; kept: Column[]; dropped: Column[] } {
  const read = columns.filter((column) => column.field !== null && column.how !== 'image')
  return {
    read,
    kept: columns.filter((column) => column.field === null && column.how !== 'image'),
    dropped: columns.filter((column) => column.how === 'image'),
  }
}

/** The name of a column of times which says that they are UTC. */
export function utcColumn(columns: readonly Column[]): string | null {
  const time = columns.find(({ field, header }) => field?.startsWith('utc_time') && /^utc/i.test(header))
  return time?.header ?? null
}

const DELIMITERS: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' }

/** `CSV in UTF-8, separated by semicolons, gzipped` */
export function describeFormat(preview: UploadPreview): string {
  const { format, encoding, delimiter, gzipped } = preview
  const separator = delimiter ? (DELIMITERS[delimiter] ?? `“${delimiter}”`) : null
  return [
    `${format ? format.toUpperCase() : 'Unknown format'}${encoding ? ` in ${encoding.toUpperCase()}` : ''}`,
    ...(separator ? [`separated by ${separator}s`] : []),
    ...(gzipped ? ['gzipped'] : []),
  ].join(', ')
}

/** What of a row is worth a column, in the order of reading; the rest of it is identity and bookkeeping. */
const SHOWN: Record<string, string> = {
  subject_id: 'Person',
  person_id: 'Person',
  camera_id: 'Camera',
  camera_description: 'Name',
  kind: 'Kind',
  started_at: 'Starts (UTC)',
  ended_at: 'Ends (UTC)',
  dwell_seconds: 'Dwell',
  duration_seconds: 'Lasts',
  people_count: 'People',
  age_group: 'Age group',
  gender: 'Gender',
  camera_group: 'Group',
  zone: 'Zone',
}

export function rowColumns(rows: readonly Row[]): { field: string; header: string }[] {
  const present = new Set(
    rows.flatMap((row) => Object.entries(row.item ?? {}).flatMap(([k, v]) => (v == null ? [] : [k]))),
  )
  if (present.has('subject_id')) present.delete('person_id')
  return Object.entries(SHOWN)
    .filter(([field]) => present.has(field))
    .map(([field, header]) => ({ field, header }))
}

/** A known other name is as good as the name itself; the beginning of one is not. */
const SURE = 0.9

export function isGuess({ confidence }: Column): boolean {
  return confidence < SURE
}

/** A value of a row as text, whatever the file put there. */
export function rowValue(field: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string' && field.endsWith('_at') && !Number.isNaN(Date.parse(value))) {
    return formatInstant(value, 'UTC', 'moment')
  }
  if (typeof value === 'number' && field.endsWith('_seconds')) return formatDuration(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
