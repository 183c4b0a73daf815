import { useState } from 'react'
import type { Upload } from '../../api/types'
import { plural } from '../../lib/format'
import { actionsOn } from '../../lib/upload'
import { Confirm } from '../../ui/dialog'
import { hasRole, useMe } from '../auth/queries'
import { DecisionDialog } from './decision-dialog'
import { useUploadCall } from './queries'

type Asked = 'decide' | 'cancel' | 'undo' | null

/** What may be done with an upload as it stands; what takes something away is asked about first. */
export function UploadActions({ upload, onActed }: { upload: Upload; onActed: () => void }) {
  const mayAct = hasRole(useMe(), 'operator')
  const [asked, setAsked] = useState<Asked>(null)
  const call = useUploadCall(upload.upload_id)
  const actions = actionsOn(upload)
  if (!mayAct || actions.length === 0) return null

  const ask = (what: Asked) => {
    call.reset()
    setAsked(what)
  }
  const close = () => setAsked(null)
  const done = () => {
    close()
    onActed()
  }

  return (
    <div className="upload-actions">
      {actions.includes('decide') && (
        <button type="button" className="primary" onClick={() => ask('decide')}>
          Decide
        </button>
      )}
      {actions.includes('cancel') && (
        <button type="button" onClick={() => ask('cancel')}>
          Stop reading
        </button>
      )}
      {actions.includes('retry') && (
        <button type="button" disabled={call.isPending} onClick={() => call.mutate('retry', { onSuccess: done })}>
          Try again
        </button>
      )}
      {actions.includes('undo') && (
        <button type="button" onClick={() => ask('undo')}>
          Undo this upload
        </button>
      )}
      {asked === null && call.error && (
        <p className="form-error" role="alert">
          {call.error.message}
        </p>
      )}
      {asked === 'decide' && <DecisionDialog upload={upload} onDone={done} onClose={close} />}
      {asked === 'cancel' && (
        <Confirm
          title="Stop reading this file?"
          confirm="Stop reading"
          busy={call.isPending}
          error={call.error}
          onConfirm={() => call.mutate('cancel', { onSuccess: done })}
          onClose={close}
        >
          <p>
            {upload.file_name}: no further row is read. The {plural(upload.rows_accepted, 'row')} counted so far stay
            until the upload is undone; it can be taken up again.
          </p>
        </Confirm>
      )}
      {asked === 'undo' && (
        <Confirm
          title="Undo this upload?"
          confirm="Undo this upload"
          busy={call.isPending}
          error={call.error}
          onConfirm={() => call.mutate('undo', { onSuccess: done })}
          onClose={close}
        >
          <p>
            Takes back what only <strong>{upload.file_name}</strong> brought: {plural(upload.rows_accepted, 'row')}.
            Sessions, occupancy and charts shrink accordingly.
          </p>
          <p>What another upload or a camera reported as well stays. The same file may be uploaded again afterwards.</p>
        </Confirm>
      )}
    </div>
  )
}
