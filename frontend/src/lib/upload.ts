import type { Upload } from '../api/types'
import { formatBytes, formatCount, formatShare, plural } from './format'

export const ACCEPTED_ENDINGS = ['.csv', '.json', '.ndjson', '.jsonl']
/** Above this a file goes in parts, so that a broken line costs one part and not the whole. */
export const RESUMABLE_BYTES = 5_000_000

/** Why a file cannot be sent, or null. The server has the last word; this only spares the wait. */
export function refuseFile(file: { name: string; size: number }, maxBytes: number | null): string | null {
  const name = file.name.toLowerCase().replace(/\.gz$/, '')
  if (!ACCEPTED_ENDINGS.some((ending) => name.endsWith(ending))) {
    return `Not a CSV or JSON file. Accepted: ${ACCEPTED_ENDINGS.join(', ')}, each also with .gz.`
  }
  if (file.size === 0) return 'The file is empty.'
  if (maxBytes !== null && file.size > maxBytes) {
    return `${formatBytes(file.size)} is more than the limit of ${formatBytes(maxBytes)}.`
  }
  return null
}

export type Phase = NonNullable<Upload['phase']>

export const PHASES: readonly { phase: Phase; word: string; meaning: string }[] = [
  { phase: 'receiving', word: 'Receiving', meaning: 'the file is on its way, or waits to be read' },
  { phase: 'parsing', word: 'Parsing', meaning: 'rows are read and checked' },
  { phase: 'publishing', word: 'Publishing', meaning: 'good rows are handed on' },
  { phase: 'settling', word: 'Settling', meaning: 'all rows are in; the charts follow' },
  { phase: 'done', word: 'Done', meaning: 'what the charts show is complete' },
]

export interface Progress {
  phase: Phase
  detail: string
  /** null while work remains whose length nobody knows */
  fraction: number | null
}

/** `seconds` since `from` bytes had gone, which another attempt had sent. */
export function sendingProgress(sent: number, total: number, seconds: number, from = 0): Progress {
  const phase = 'receiving'
  if (sent >= total) return { phase, detail: `${formatBytes(total)} sent, the server checks them`, fraction: null }
  const speed = seconds > 0.5 ? (sent - from) / seconds : 0
  const left = speed > 0 ? ` · ${formatBytes(speed)}/s · ${Math.ceil((total - sent) / speed)} s left` : ''
  return { phase, detail: `${formatBytes(sent)} of ${formatBytes(total)}${left}`, fraction: sent / total }
}

/** What the server does with a file that it has taken; null where nothing goes on. */
export function serverProgress(upload: Upload): Progress | null {
  if (upload.status === 'received') {
    return { phase: 'receiving', detail: 'stored safely, in the queue to be read', fraction: null }
  }
  if (upload.status === 'completed' && upload.phase === 'settling') {
    return { phase: 'settling', detail: `${rowsSoFar(upload)}; the charts are catching up`, fraction: null }
  }
  if (upload.status !== 'processing') return null
  if (upload.withdrawing) {
    return { phase: upload.phase ?? 'publishing', detail: 'what it brought is being taken back', fraction: null }
  }
  const { bytes_done, bytes_total } = upload
  const known = bytes_total > 0 && bytes_done < bytes_total
  return {
    phase: upload.phase ?? 'parsing',
    detail: `${formatBytes(bytes_done)} of ${formatBytes(bytes_total)} · ${rowsSoFar(upload)}`,
    fraction: known ? bytes_done / bytes_total : null,
  }
}

function rowsSoFar({ rows_total, rows_accepted, rows_rejected }: Upload): string {
  const share = rows_rejected > 0 ? ` (${formatShare(rows_rejected, rows_total)})` : ''
  return `${plural(rows_total, 'row')} read, ${formatCount(rows_accepted)} accepted, ${formatCount(rows_rejected)} rejected${share}`
}

/** Of an upload that is held: a large one is imported while it is read, a small one once all of it was. */
export function importedBeforeHeld({ rows_accepted, rows_waiting }: Upload): string {
  const imported = rows_accepted - rows_waiting
  if (imported === 0) return 'None of its rows has been imported yet.'
  return `${plural(imported, 'good row')} had been imported before this showed; dropping takes them back.`
}

/** Nothing happens to it any more unless somebody asks for it. */
export function isFinished({ status, phase }: Upload): boolean {
  if (status === 'completed') return phase !== 'settling'
  return status === 'failed' || status === 'cancelled' || status === 'withdrawn'
}

/** Something goes on by itself that is worth watching. */
export function isMoving(upload: Upload): boolean {
  return !isFinished(upload) && upload.status !== 'needs_decision'
}

export type UploadGroup = 'moving' | 'decision' | 'completed' | 'failed' | 'gone'

/** What one looks for in the history: each of the states is in one of these. */
export const UPLOAD_GROUPS: Record<UploadGroup, { word: string; statuses: Upload['status'][] }> = {
  moving: { word: 'Under way', statuses: ['received', 'processing'] },
  decision: { word: 'To decide', statuses: ['needs_decision'] },
  completed: { word: 'Completed', statuses: ['completed'] },
  failed: { word: 'Failed', statuses: ['failed'] },
  gone: { word: 'Cancelled or undone', statuses: ['cancelled', 'withdrawn'] },
}

export type UploadAction = 'decide' | 'cancel' | 'retry' | 'undo'

export function actionsOn(upload: Upload): UploadAction[] {
  if (upload.withdrawing) return []
  switch (upload.status) {
    case 'received':
    case 'processing':
      return ['cancel']
    case 'needs_decision':
      return ['decide']
    case 'failed':
    case 'cancelled':
      return upload.rows_accepted > 0 ? ['retry', 'undo'] : ['retry']
    case 'completed':
      return ['undo']
    case 'withdrawn':
      return []
  }
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
