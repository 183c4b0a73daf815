import { useQuery } from '@tanstack/react-query'
import type { Upload } from '../../api/types'
import { useSecond } from '../../hooks/use-clock'
import { formatBytes } from '../../lib/format'
import { type Progress, sendingProgress, serverProgress } from '../../lib/upload'
import { uploadQuery } from './queries'
import type { Transfer } from './transfers'
import { UploadResult } from './upload-result'
import { useRefreshWhenFinished, useTransfers } from './use-transfers'

export function TransferCard({ transfer }: { transfer: Transfer }) {
  const { transfers } = useTransfers()
  const { id, file, state, reason, upload } = transfer
  const active = state === 'waiting' || state === 'sending'

  return (
    <li className="transfer" aria-label={file.name}>
      <header>
        <strong>{file.name}</strong> <span className="quiet">{formatBytes(file.size)}</span>
        <span className="spacer" />
        {active ? (
          <button type="button" onClick={() => transfers.cancel(id)}>
            Cancel
          </button>
        ) : (
          <button type="button" onClick={() => transfers.dismiss(id)}>
            Dismiss
          </button>
        )}
      </header>
      {state === 'waiting' && <p className="quiet">Waiting for the file before it.</p>}
      {state === 'sending' && <Sending transfer={transfer} />}
      {state === 'taken' && upload && <Taken first={upload} />}
      {state === 'cancelled' && <p>Cancelled. Nothing of it was saved.</p>}
      {(state === 'refused' || state === 'failed') && (
        <div className="notice notice-bad" role="alert">
          <p>
            <strong>{state === 'refused' ? 'Not sent' : transfer.mayRetry ? 'Failed' : 'Refused'}:</strong> {reason}
          </p>
          {transfer.mayRetry && (
            <button type="button" onClick={() => transfers.retry(id)}>
              Retry
            </button>
          )}
        </div>
      )}
    </li>
  )
}

function Sending({ transfer }: { transfer: Transfer }) {
  const now = useSecond()
  return <Bar progress={sendingProgress(transfer.sent, transfer.total, (now - transfer.startedAt) / 1000)} />
}

function Taken({ first }: { first: Upload }) {
  const { data: upload = first } = useQuery({
    ...uploadQuery(first.upload_id),
    initialData: first,
    staleTime: Number.POSITIVE_INFINITY,
  })
  useRefreshWhenFinished(upload)
  const progress = serverProgress(upload)
  // Only the first answer knows that the file was there before.
  return progress ? <Bar progress={progress} /> : <UploadResult upload={upload} duplicate={first.duplicate} />
}

function Bar({ progress: { phase, detail, fraction } }: { progress: Progress }) {
  return (
    <div className="progress">
      <p>
        <strong>{phase}</strong>
        {fraction !== null && ` ${Math.floor(fraction * 100)}%`} <span className="quiet">{detail}</span>
      </p>
      <progress aria-label={phase} max={1} value={fraction ?? undefined} />
    </div>
  )
}
