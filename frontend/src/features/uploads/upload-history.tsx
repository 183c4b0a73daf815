import type { Upload } from '../../api/types'
import { formatBytes, formatCount, formatDuration, formatInstant } from '../../lib/format'
import { type Column, DataTable } from '../../ui/data-table'
import { Panel } from '../../ui/panel'
import { useZone } from '../filters/use-view'
import { useUploadHistory } from './queries'
import { rejectsAddress } from './upload-result'

const STATES: Record<Upload['status'], { word: string; tone: string }> = {
  received: { word: 'waiting', tone: '' },
  processing: { word: 'being read', tone: '' },
  needs_decision: { word: 'needs a decision', tone: '' },
  completed: { word: 'completed', tone: 'badge-good' },
  failed: { word: 'refused', tone: 'badge-bad' },
  cancelled: { word: 'cancelled', tone: '' },
  withdrawn: { word: 'withdrawn', tone: '' },
}

function took(upload: Upload): string {
  if (!upload.completed_at) return '–'
  return formatDuration((Date.parse(upload.completed_at) - Date.parse(upload.created_at)) / 1000)
}

function columns(zone: string): Column<Upload>[] {
  return [
    {
      header: 'When',
      cell: (upload) => (
        <time dateTime={upload.created_at} title={formatInstant(upload.created_at, zone, 'full')}>
          {formatInstant(upload.created_at, zone)}
        </time>
      ),
    },
    {
      header: 'File',
      cell: (upload) => (
        <>
          <span className="file-name">{upload.file_name}</span>
          <span className="reason">{formatBytes(upload.bytes_total)}</span>
        </>
      ),
    },
    { header: 'Holds', cell: (upload) => upload.kind ?? '–' },
    { header: 'By', cell: (upload) => upload.uploaded_by },
    { header: 'Rows in', numeric: true, cell: (upload) => formatCount(upload.rows_accepted) },
    {
      header: 'Rejected',
      numeric: true,
      cell: (upload) =>
        upload.rows_rejected > 0 ? (
          <a
            href={rejectsAddress(upload.upload_id)}
            download
            aria-label={`Download ${formatCount(upload.rows_rejected)} rejects of ${upload.file_name}`}
          >
            {formatCount(upload.rows_rejected)}
          </a>
        ) : (
          '0'
        ),
    },
    { header: 'Took', numeric: true, cell: took },
    {
      header: 'State',
      cell: (upload) => (
        <>
          <span className={`badge ${STATES[upload.status].tone}`}>{STATES[upload.status].word}</span>
          {upload.error && <span className="reason">{upload.error}</span>}
        </>
      ),
    },
  ]
}

export function UploadHistory() {
  const zone = useZone()
  return (
    <Panel
      title="History"
      result={useUploadHistory()}
      height={200}
      isEmpty={(page) => page.items.length === 0}
      empty={<p className="empty">No file was uploaded yet.</p>}
    >
      {(page) => (
        <DataTable
          caption={`Uploads, ${zone}`}
          columns={columns(zone)}
          rows={page.items}
          rowKey={(upload) => upload.upload_id}
        />
      )}
    </Panel>
  )
}
