import { useDropzone } from 'react-dropzone'
import { formatBytes, formatInstant } from '../../lib/format'
import { ACCEPTED_ENDINGS, MAX_UPLOAD_BYTES } from '../../lib/upload'
import { fromLocalInput } from '../../lib/zone'
import { Icon } from '../../ui/icon'
import { useFilterOptions } from '../filters/queries'
import { ZoneField } from './zone-field'

interface DropAreaProps {
  timezone: string
  onTimezone: (zone: string) => void
  review: boolean
  onReview: (review: boolean) => void
  onFiles: (files: File[]) => void
}

export function DropArea({ timezone, onTimezone, review, onReview, onFiles }: DropAreaProps) {
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
          {ACCEPTED_ENDINGS.join(', ')}, each also as .gz, up to {formatBytes(MAX_UPLOAD_BYTES)}. Bad rows are set aside
          with a reason; good rows are kept.
        </p>
      </div>
      <div className="zone-choice">
        <ZoneField label="Zone of times that name none" value={timezone} onChange={onTimezone} />
        <label className="check">
          <input type="checkbox" checked={review} onChange={(event) => onReview(event.target.checked)} />
          Preview before sending
        </label>
        <ZoneExample timezone={timezone} />
      </div>
    </section>
  )
}

function ZoneExample({ timezone }: { timezone: string }) {
  const { site_timezone } = useFilterOptions()
  const example = fromLocalInput('2025-01-15T10:00', timezone) ?? 0
  return (
    <p className="quiet">
      10:00 in the file is {formatInstant(example, 'UTC', 'time')} UTC
      {site_timezone !== 'UTC' && `, ${formatInstant(example, site_timezone, 'time')} in ${site_timezone}`}. Times that
      name a zone keep it.
    </p>
  )
}
