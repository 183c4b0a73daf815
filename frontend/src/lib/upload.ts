import type { Upload } from '../api/types'
import { formatBytes, formatCount, plural } from './format'

export const ACCEPTED_ENDINGS = ['.csv', '.json', '.ndjson', '.jsonl']
/** The server's default. It has the last word; this only spares the wait. */
export const MAX_UPLOAD_BYTES = 2_000_000_000

/** Why a file cannot be sent, or null. */
export function refuseFile(file: { name: string; size: number }): string | null {
  const name = file.name.toLowerCase().replace(/\.gz$/, '')
  if (!ACCEPTED_ENDINGS.some((ending) => name.endsWith(ending))) {
    return `Not a CSV or JSON file. Accepted: ${ACCEPTED_ENDINGS.join(', ')}, each also with .gz.`
  }
  if (file.size === 0) return 'The file is empty.'
  if (file.size > MAX_UPLOAD_BYTES) {
    return `${formatBytes(file.size)} is more than the limit of ${formatBytes(MAX_UPLOAD_BYTES)}.`
  }
  return null
}

export interface Progress {
  phase: string
  detail: string
  /** null while work remains whose length nobody knows */
  fraction: number | null
}

export function sendingProgress(sent: number, total: number, seconds: number): Progress {
  if (sent >= total)
    return { phase: 'Checking', detail: `${formatBytes(total)} sent, the server reads them`, fraction: null }
  const speed = seconds > 0.5 ? sent / seconds : 0
  const left = speed > 0 ? ` · ${formatBytes(speed)}/s · ${Math.ceil((total - sent) / speed)} s left` : ''
  return { phase: 'Uploading', detail: `${formatBytes(sent)} of ${formatBytes(total)}${left}`, fraction: sent / total }
}

/** What the server does with a file that it has taken; a finished one has no progress. */
export function serverProgress(upload: Upload): Progress | null {
  if (upload.status === 'received') {
    return { phase: 'Waiting', detail: 'stored safely, in the queue to be read', fraction: null }
  }
  if (upload.status !== 'processing') return null
  const rows = `${plural(upload.rows_total, 'row')} read, ${formatCount(upload.rows_rejected)} rejected`
  const known = upload.bytes_total > 0 && upload.bytes_done < upload.bytes_total
  return { phase: 'Reading rows', detail: rows, fraction: known ? upload.bytes_done / upload.bytes_total : null }
}

export function isFinished(upload: Upload): boolean {
  return upload.status === 'completed' || upload.status === 'failed'
}

/** In the words of the quarantine; a reason that is not here is shown as its code. */
const REASONS: Record<string, string> = {
  missing_person: 'no person_id',
  missing_camera: 'no camera_id',
  missing_start: 'no start time',
  missing_end: 'no end time',
  bad_timestamp: 'a time that cannot be read',
  timestamp_precision_lost: 'a time that a spreadsheet rounded',
  negative_dwell: 'the end lies before the start',
  implausible_dwell: 'the stay is longer than the limit',
  future_timestamp: 'the time lies in the future',
  wrong_field_count: 'another number of fields than the header',
  bad_json: 'not valid JSON',
  bad_encoding: 'not valid text in the file’s encoding',
  schema_violation: 'not what the format says',
  too_large: 'larger than the limit',
}

export function rejectReason(code: string): string {
  return REASONS[code] ?? code.replaceAll('_', ' ')
}

export function rejectsByCount(upload: Upload): [code: string, rows: number][] {
  return Object.entries(upload.rejects_by_reason).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
}
