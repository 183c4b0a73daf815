import { Link } from '@tanstack/react-router'
import type { Upload } from '../../api/types'
import { formatCount, formatDuration, formatShare, formatSpan, plural } from '../../lib/format'
import { toIso } from '../../lib/time-range'
import { importedBeforeHeld, rejectReason, rejectsByCount } from '../../lib/upload'
import { hasRole, useMe } from '../auth/queries'
import { useZone } from '../filters/use-view'

export function rejectsAddress(uploadId: string): string {
  return `/api/v1/uploads/${encodeURIComponent(uploadId)}/rejects.csv`
}

/** The rows of one upload among those of the quarantine. */
export function sourceOf(uploadId: string): string {
  return `upload:${uploadId}#`
}

export function UploadResult({ upload, duplicate }: { upload: Upload; duplicate: boolean }) {
  return (
    <>
      {duplicate && (
        <p className="notice notice-warn" role="status">
          These very bytes were uploaded before. Nothing was counted twice; this is the first upload’s result.
        </p>
      )}
      <Outcome upload={upload} />
      {upload.warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      {upload.status !== 'withdrawn' && <Rejects upload={upload} />}
    </>
  )
}

function Outcome({ upload }: { upload: Upload }) {
  const { status, error, rows_accepted, rows_rejected, rows_total } = upload
  switch (status) {
    case 'received':
    case 'processing':
      return null
    case 'needs_decision':
      return (
        <p className="notice notice-warn" role="status">
          <strong>Held for your decision:</strong> {formatCount(rows_rejected)} of {plural(rows_total, 'row')} so far (
          {formatShare(rows_rejected, rows_total)}) cannot be used, more than is usual. {importedBeforeHeld(upload)}
        </p>
      )
    case 'failed':
      return (
        <p className="notice notice-bad" role="alert">
          <span>
            <strong>{rows_accepted > 0 ? 'Failed' : 'Refused'}:</strong> {error ?? 'the file could not be read.'}
            {rows_accepted > 0 && ` ${plural(rows_accepted, 'row')} had been counted by then and stay.`}
          </span>
        </p>
      )
    case 'cancelled':
      return (
        <p role="status">
          Cancelled.{' '}
          {rows_accepted > 0
            ? `${plural(rows_accepted, 'row')} had been counted by then and stay.`
            : 'None of its rows was counted.'}
        </p>
      )
    case 'withdrawn':
      return (
        <p role="status">
          Undone: what only this file brought is no longer counted. The same file may be uploaded again.
        </p>
      )
    case 'completed':
      return (
        <>
          <p className="headline" role="status">
            {plural(rows_accepted, 'row')} in, {formatCount(rows_rejected)} rejected
            {rows_rejected > 0 && ` (${formatShare(rows_rejected, rows_total)})`}
          </p>
          <Contents upload={upload} />
        </>
      )
  }
}

function Contents({ upload: { summary, kind } }: { upload: Upload }) {
  const zone = useZone()
  if (!summary) return null
  const range =
    summary.started_at && summary.ended_at
      ? { from: Date.parse(summary.started_at), to: Date.parse(summary.ended_at) }
      : null
  const parts =
    kind === 'insights'
      ? [plural(summary.insights, 'insight')]
      : [
          plural(summary.sessions, 'session'),
          plural(summary.visitors, 'visitor'),
          `median dwell ${formatDuration(summary.dwell_median_seconds)}`,
        ]
  const search = range ? { range: undefined, from: toIso(range.from), to: toIso(range.to + 60_000) } : {}

  return (
    <>
      <p>
        {[...parts, plural(summary.cameras, 'camera')].join(', ')}
        {range && `, ${formatSpan(range.from, range.to, zone)}`}
      </p>
      {range && (
        <Link
          className="button"
          to={kind === 'insights' ? '/insights' : '/overview'}
          search={(before) => ({ tz: before.tz, ...search })}
        >
          View this range
        </Link>
      )}
    </>
  )
}

function Rejects({ upload }: { upload: Upload }) {
  const mayRead = hasRole(useMe(), 'operator')
  if (upload.rows_rejected === 0) return null
  return (
    <div className="rejects">
      <h3>Rejected rows</h3>
      <RejectReasons upload={upload} />
      {mayRead && (
        <div className="row">
          <a className="button" href={rejectsAddress(upload.upload_id)} download>
            Download rejects
          </a>
          <Link className="button" to="/quarantine" search={({ tz }) => ({ tz, source: sourceOf(upload.upload_id) })}>
            Review and fix
          </Link>
        </div>
      )}
    </div>
  )
}

export function RejectReasons({ upload }: { upload: Upload }) {
  return (
    <ul>
      {rejectsByCount(upload).map(([code, rows]) => (
        <li key={code}>
          {plural(rows, 'row')}: {rejectReason(code)} <code className="quiet">{code}</code>
        </li>
      ))}
    </ul>
  )
}
