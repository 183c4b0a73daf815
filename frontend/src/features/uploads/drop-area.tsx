import { useDropzone } from 'react-dropzone'
import { formatBytes } from '../../lib/format'
import { ACCEPTED_ENDINGS } from '../../lib/upload'
import { zoneExample } from '../../lib/zone'
import { Icon } from '../../ui/icon'
import { ZoneField } from './zone-field'

interface DropAreaProps {
  maxBytes: number | null
  /** null: each file is asked about */
  timezone: string | null
  onTimezone: (zone: string | null) => void
  review: boolean
  onReview: (review: boolean) => void
  onFiles: (files: File[]) => void
}

export function DropArea({ maxBytes, timezone, onTimezone, review, onReview, onFiles }: DropAreaProps) {
  const { getRootProps, getInputProps, open, isDragActive } = useDropzone({
    onDrop: (accepted) => onFiles(accepted),
    noClick: true,
    noKeyboard: true,
  })
  return (
    <section className="panel" aria-label="New upload">
      <div {...getRootProps({ className: isDragActive ? 'drop drop-active' : 'drop' })}>
        <input {...getInputProps({ 'aria-label': 'Choose files' })} />
        <Icon name="uploads" />
        <p>{isDragActive ? 'Let go to upload' : 'Drop camera exports here, or'}</p>
        <button type="button" className="primary" onClick={open}>
          Choose files
        </button>
        <p className="quiet">
          {ACCEPTED_ENDINGS.join(', ')}, each also as .gz{maxBytes !== null && `, up to ${formatBytes(maxBytes)}`}. Bad
          rows are set aside with a reason; good rows are kept.
        </p>
      </div>
      <div className="zone-choice">
        <ZoneField
          label="Zone of times that name none"
          none="Ask for each file"
          value={timezone ?? ''}
          onChange={(zone) => onTimezone(zone || null)}
        />
        <label className="check">
          <input type="checkbox" checked={review} onChange={(event) => onReview(event.target.checked)} />
          Preview before sending
        </label>
        <p className="quiet">
          {timezone ? `${zoneExample(timezone)}. ` : 'A file whose times name no zone waits until you say which. '}
          Times that name a zone keep it.
        </p>
      </div>
    </section>
  )
}
