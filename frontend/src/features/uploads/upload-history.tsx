import { Link, useSearch } from '@tanstack/react-router'
import type { Upload } from '../../api/types'
import { useSetSearch } from '../../hooks/use-set-search'
import { formatBytes, formatCount, formatDuration, formatInstant } from '../../lib/format'
import { UPLOAD_GROUPS, type UploadGroup } from '../../lib/upload'
import { type Column, DataTable } from '../../ui/data-table'
import { Panel } from '../../ui/panel'
import { hasRole, useMe } from '../auth/queries'
import { useZone } from '../filters/use-view'
import { useUploadHistory } from './queries'
import { rejectsAddress } from './upload-result'

const STATES: Record<Upload['status'], { word: string; tone: string }> = {
  received: { word: 'waiting', tone: '' },
  processing: { word: 'being read', tone: '' },
  needs_decision: { word: 'needs a decision', tone: 'badge-warn' },
  completed: { word: 'completed', tone: 'badge-good' },
  failed: { word: 'failed', tone: 'badge-bad' },
  cancelled: { word: 'cancelled', tone: '' },
  withdrawn: { word: 'undone', tone: '' },
}

export function UploadState({ upload: { status, phase } }: { upload: Upload }) {
  const { word, tone } = STATES[status]
  return status === 'completed' && phase === 'settling' ? (
    <span className="badge">settling</span>
  ) : (
    <span className={`badge ${tone}`}>{word}</span>
  )
}

function took(upload: Upload): string {
  if (!upload.completed_at) return '–'
  return formatDuration((Date.parse(upload.completed_at) - Date.parse(upload.created_at)) / 1000)
}

function columns(zone: string, mayReadRejects: boolean): Column<Upload>[] {
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
          <Link
            className="file-name"
            to="/uploads/$uploadId"
            params={{ uploadId: upload.upload_id }}
            search={({ tz }) => ({ tz })}
          >
            {upload.file_name}
          </Link>
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
        mayReadRejects && upload.rows_rejected > 0 ? (
          <a
            href={rejectsAddress(upload.upload_id)}
            download
            aria-label={`Download ${formatCount(upload.rows_rejected)} rejects of ${upload.file_name}`}
          >
            {formatCount(upload.rows_rejected)}
          </a>
        ) : (
          formatCount(upload.rows_rejected)
        ),
    },
    { header: 'Took', numeric: true, cell: took },
    {
      header: 'State',
      cell: (upload) => (
        <>
          <UploadState upload={upload} />
          {upload.error && <span className="reason">{upload.error}</span>}
        </>
      ),
    },
  ]
}

export function UploadHistory() {
  const zone = useZone()
  const mayReadRejects = hasRole(useMe(), 'operator')
  const { show } = useSearch({ from: '/shell/uploads' })
  const history = useUploadHistory(show && UPLOAD_GROUPS[show].statuses)

  return (
    <Panel
      title="History"
      result={history}
      height={200}
      isEmpty={(page) => page.items.length === 0}
      empty={<p className="empty">{show ? 'No upload is in this state.' : 'No file was uploaded yet.'}</p>}
      actions={<Tabs show={show} />}
    >
      {(page) => (
        <>
          <DataTable
            caption={`Uploads, ${zone}`}
            columns={columns(zone, mayReadRejects)}
            rows={page.items}
            rowKey={(upload) => upload.upload_id}
          />
          {history.hasNextPage && (
            <button type="button" disabled={history.isFetchingNextPage} onClick={() => history.fetchNextPage()}>
              Show older
            </button>
          )}
        </>
      )}
    </Panel>
  )
}

const GROUPS = Object.keys(UPLOAD_GROUPS) as UploadGroup[]

function Tabs({ show }: { show: UploadGroup | undefined }) {
  const setSearch = useSetSearch()
  return (
    <fieldset className="tabs">
      <legend className="visually-hidden">Which uploads</legend>
      {[undefined, ...GROUPS].map((group) => (
        <button
          key={group ?? 'all'}
          type="button"
          className="small"
          aria-pressed={group === show}
          onClick={() => setSearch({ show: group })}
        >
          {group ? UPLOAD_GROUPS[group].word : 'All'}
        </button>
      ))}
    </fieldset>
  )
}
