import type { UploadPreview } from '../../api/types'
import { utcColumn } from '../../lib/preview'
import { zoneExample } from '../../lib/zone'
import { ZoneField } from './zone-field'

interface ZoneQuestionProps {
  preview: UploadPreview
  fileName: string
  /** in which the rows are shown meanwhile */
  guess: string
  onChoose: (zone: string) => void
}

/** Nobody but who knows the file can say in which zone its times are; a wrong guess would move every one of them. */
export function ZoneQuestion({ preview, fileName, guess, onChoose }: ZoneQuestionProps) {
  const column = utcColumn(preview.columns)
  return (
    <section className="notice notice-warn" aria-label={`Zone of ${fileName}`}>
      <div className="zone-question">
        <p>
          <strong>In which zone are the times of this file?</strong> They name none. The rows are shown as of {guess}:{' '}
          {zoneExample(guess)}.{' '}
          {column && (
            <>
              A column is called <code>{column}</code>, which speaks for UTC.
            </>
          )}
        </p>
        <div className="zone-answers">
          {[...new Set([guess, 'UTC'])].map((zone) => (
            <button key={zone} type="button" onClick={() => onChoose(zone)}>
              They are {zone}
            </button>
          ))}
          <ZoneField label="Another zone" none="Choose…" value="" onChange={(zone) => zone && onChoose(zone)} />
        </div>
      </div>
    </section>
  )
}
