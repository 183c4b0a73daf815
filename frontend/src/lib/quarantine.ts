import type { ReplayResult } from '../api/types'
import { formatCount, plural } from './format'

/** Where the sources of what was refused begin; a filter on them is a prefix. */
export const SOURCES = [
  { prefix: undefined, word: 'All' },
  { prefix: 'upload:', word: 'Uploads' },
  { prefix: 'corsight:', word: 'Cameras' },
  { prefix: 'kafka:', word: 'Stream' },
] as const

export interface UploadRow {
  uploadId: string
  line: number
}

/** The upload and line a refused row came from; null of what came otherwise. */
export function uploadRow(source: string): UploadRow | null {
  const match = /^upload:([^#]+)#(\d+)$/.exec(source)
  return match?.[1] ? { uploadId: match[1], line: Number(match[2]) } : null
}

/** Rows of files and events of cameras can run again; of a record of the stream nothing says how to read it. */
export function mayReplay(source: string): boolean {
  return source.startsWith('upload:') || source.startsWith('corsight:')
}

export function addResults(a: ReplayResult, b: ReplayResult): ReplayResult {
  return {
    ...b,
    replayed: a.replayed + b.replayed,
    accepted: a.accepted + b.accepted,
    rejected: [...a.rejected, ...b.rejected],
  }
}

export function describeReplay({ replayed, accepted, rejected }: ReplayResult): string {
  if (replayed === 0) return 'No row was left to run again.'
  const refused = rejected.length > 0 ? `, ${formatCount(rejected.length)} still refused` : ''
  return `${plural(replayed, 'row')} ran again: ${formatCount(accepted)} in${refused}.`
}
