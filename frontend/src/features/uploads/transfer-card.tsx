import { useSecond } from '../../hooks/use-clock'
import { formatBytes } from '../../lib/format'
import { sendingProgress } from '../../lib/upload'
import { Phases } from './phases'
import { Review } from './review'
import type { Transfer } from './transfers'
import { UploadDetail } from './upload-detail'
import { useUpload } from './use-progress'
import { useTransfers } from './use-transfers'

const ACTIVE: readonly Transfer['state'][] = ['review', 'waiting', 'sending', 'paused', 'interrupted']

export function TransferCard({ transfer }: { transfer: Transfer }) {
  const { transfers } = useTransfers()
  const { id, file, state, resumable } = transfer

  return (
    <li className="transfer" aria-label={file.name}>
      <header>
        <h2>{file.name}</h2> <span className="quiet">{formatBytes(file.size)}</span>
        <span className="spacer" />
        {resumable && state === 'sending' && (
          <button type="button" onClick={() => transfers.pause(id)}>
            Pause
          </button>
        )}
        {(state === 'paused' || state === 'interrupted') && (
          <button type="button" onClick={() => transfers.go(id)}>
            {state === 'paused' ? 'Resume' : 'Try now'}
          </button>
        )}
        {ACTIVE.includes(state) ? (
          <button type="button" onClick={() => transfers.cancel(id)}>
            Cancel
          </button>
        ) : (
          <button type="button" onClick={() => transfers.dismiss(id)}>
            Dismiss
          </button>
        )}
      </header>
      <State transfer={transfer} />
    </li>
  )
}

function State({ transfer }: { transfer: Transfer }) {
  const { transfers } = useTransfers()
  const { id, state, upload, reason, mayRetry } = transfer
  switch (state) {
    case 'review':
      return <Review transfer={transfer} />
    case 'waiting':
      return <p className="quiet">Waiting for the file before it.</p>
    case 'sending':
      return <Sending transfer={transfer} />
    case 'paused':
      return <Halted transfer={transfer} note="Paused. What has arrived is kept." />
    case 'interrupted':
      return <Interrupted transfer={transfer} />
    case 'taken':
      // Only the first answer knows that the file was there before.
      return upload && <Taken uploadId={upload.upload_id} transfer={transfer} />
    case 'cancelled':
      return <p>Cancelled. Nothing of it was saved.</p>
    case 'refused':
    case 'failed':
      return (
        <div className="notice notice-bad" role="alert">
          <p>
            <strong>{state === 'refused' ? 'Not sent' : mayRetry ? 'Failed' : 'Refused'}:</strong> {reason}
          </p>
          {mayRetry && (
            <button type="button" onClick={() => transfers.go(id)}>
              Retry
            </button>
          )}
        </div>
      )
  }
}

function Sending({ transfer: { sent, total, startedAt, startedFrom } }: { transfer: Transfer }) {
  const now = useSecond()
  const seconds = startedAt > 0 ? (now - startedAt) / 1000 : 0
  return <Phases progress={sendingProgress(sent, total, seconds, startedFrom)} />
}

function Halted({ transfer: { sent, total }, note }: { transfer: Transfer; note: string }) {
  return (
    <>
      <Phases progress={sendingProgress(Math.min(sent, total - 1), total, 0)} />
      <p role="status">{note}</p>
    </>
  )
}

function Interrupted({ transfer }: { transfer: Transfer }) {
  const now = useSecond()
  const wait = Math.max(0, Math.ceil(((transfer.retryAt ?? now) - now) / 1000))
  return (
    <>
      <Halted transfer={transfer} note="Paused – no connection. It resumes by itself; what has arrived is kept." />
      <p className="quiet">Next try in {wait} s.</p>
    </>
  )
}

function Taken({ uploadId, transfer: { upload: first } }: { uploadId: string; transfer: Transfer }) {
  const following = useUpload(uploadId, first ?? undefined)
  const upload = following.result.data
  return upload ? <UploadDetail upload={upload} following={following} duplicate={first?.duplicate ?? false} /> : null
}
