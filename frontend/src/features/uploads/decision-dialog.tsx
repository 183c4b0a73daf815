import { Link } from '@tanstack/react-router'
import type { Upload } from '../../api/types'
import { formatCount, formatShare, plural } from '../../lib/format'
import { importedBeforeHeld } from '../../lib/upload'
import { Dialog } from '../../ui/dialog'
import { useQuarantineRows } from '../quarantine/queries'
import { useUploadCall } from './queries'
import { RejectReasons, rejectsAddress, sourceOf } from './upload-result'

const EXAMPLES = 3

interface DecisionProps {
  upload: Upload
  onDone: () => void
  onClose: () => void
}

/** Too many rows are bad: somebody says whether the others are worth having. */
export function DecisionDialog({ upload, onDone, onClose }: DecisionProps) {
  const { upload_id, file_name, rows_rejected, rows_total } = upload
  const call = useUploadCall(upload_id)
  const choose = (choice: 'import' | 'drop') => call.mutate(choice, { onSuccess: onDone })

  return (
    <Dialog title={`What should become of ${file_name}?`} onClose={onClose}>
      <p>
        {formatCount(rows_rejected)} of {plural(rows_total, 'row')} read so far cannot be used (
        {formatShare(rows_rejected, rows_total)}).
      </p>
      <RejectReasons upload={upload} />
      <Examples uploadId={upload_id} />
      <p>{importedBeforeHeld(upload)}</p>
      <p>
        <a href={rejectsAddress(upload_id)} download>
          Download all rejects
        </a>
        {' · '}
        <Link to="/quarantine" search={({ tz }) => ({ tz, source: sourceOf(upload_id) })}>
          Look at them in the quarantine
        </Link>
      </p>
      {call.error && (
        <p className="form-error" role="alert">
          {call.error.message}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" onClick={onClose}>
          Later
        </button>
        <button type="button" disabled={call.isPending} onClick={() => choose('drop')}>
          Drop all
        </button>
        <button type="button" className="primary" disabled={call.isPending} onClick={() => choose('import')}>
          Import the good rows
        </button>
      </div>
    </Dialog>
  )
}

function Examples({ uploadId }: { uploadId: string }) {
  const { data } = useQuarantineRows({ source: sourceOf(uploadId), limit: EXAMPLES })
  return (
    <ul className="examples" aria-label="Examples">
      {data?.items.map((item) => (
        <li key={item.quarantine_id}>
          <span>{item.reason}</span>
          <code className="raw">{item.raw}</code>
        </li>
      ))}
    </ul>
  )
}
