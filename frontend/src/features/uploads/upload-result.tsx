import { Link } from '@tanstack/react-router'
import type { Upload } from '../../api/types'
import { formatCount, formatDuration, formatShare, formatSpan, plural } from '../../lib/format'
import { toIso } from '../../lib/time-range'
import { rejectReason, rejectsByCount } from '../../lib/upload'
import { useZone } from '../filters/use-view'

export function rejectsAddress(uploadId: string): string {
  return `/api/v1/uploads/${encodeURIComponent(uploadId)}/rejects.csv`
}

export function UploadResult({ upload, duplicate }: { upload: Upload; duplicate: boolean }) {
  if (upload.status === 'failed') {
    return (
      <p className="notice notice-bad" role="alert">
        <span>
          <strong>Refused:</strong> {upload.error ?? 'the file could not be read.'}
        </span>
      </p>
    )
  }
  return (
    <div className="result">
      {duplicate && (
        <p className="notice notice-warn" role="status">
          These very bytes were uploaded before. Nothing was counted twice; this is the first upload’s result.
        </p>
      )}
      <p className="headline" role="status">
        {plural(upload.rows_accepted, 'row')} in, {formatCount(upload.rows_rejected)} rejected
        {upload.rows_rejected > 0 && ` (${formatShare(upload.rows_rejected, upload.rows_total)})`}
      </p>
      <Contents upload={upload} />
      {upload.warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      <Rejects upload={upload} />
    </div>
  )
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
  if (upload.rows_rejected === 0) return null
  return (
    <div className="rejects">
      <h3>Rejected rows</h3>
      <ul>
        {rejectsByCount(upload).map(([code, rows]) => (
          <li key={code}>
            {plural(rows, 'row')}: {rejectReason(code)} <code className="quiet">{code}</code>
          </li>
        ))}
      </ul>
      <a className="button" href={rejectsAddress(upload.upload_id)} download>
        Download rejects
      </a>
    </div>
  )
}
