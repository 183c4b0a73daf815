import { useDropzone } from 'react-dropzone'
import { formatBytes, formatInstant } from '../../lib/format'
import { ACCEPTED_ENDINGS, MAX_UPLOAD_BYTES } from '../../lib/upload'
import { browserZone, fromLocalInput } from '../../lib/zone'
import { Icon } from '../../ui/icon'
import { useFilterOptions } from '../filters/queries'

interface DropAreaProps {
  timezone: string
  onTimezone: (zone: string) => void
  onFiles: (files: File[]) => void
}

export function DropArea({ timezone, onTimezone, onFiles }: DropAreaProps) {
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
      <ZoneChoice timezone={timezone} onTimezone={onTimezone} />
    </section>
  )
}

function ZoneChoice({ timezone, onTimezone }: Omit<DropAreaProps, 'onFiles'>) {
  const { site_timezone } = useFilterOptions()
  const choices = [...new Set(['UTC', site_timezone, browserZone()])]
  const example = fromLocalInput('2025-01-15T10:00', timezone) ?? 0
  return (
    <div className="zone-choice">
      <label className="field">
        <span>Zone of times that name none</span>
        <select value={timezone} onChange={(event) => onTimezone(event.target.value)}>
          {choices.map((zone) => (
            <option key={zone} value={zone}>
              {zone === site_timezone ? `Site (${zone})` : zone}
            </option>
          ))}
        </select>
      </label>
      <p className="quiet">
        10:00 in the file is {formatInstant(example, 'UTC', 'time')} UTC
        {site_timezone !== 'UTC' && `, ${formatInstant(example, site_timezone, 'time')} in ${site_timezone}`}. Times
        that name a zone keep it.
      </p>
    </div>
  )
}
