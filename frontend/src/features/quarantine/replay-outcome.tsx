import type { QuarantineItem, ReplayResult } from '../../api/types'
import { formatCount, plural } from '../../lib/format'
import { describeReplay, uploadRow } from '../../lib/quarantine'

const SHOWN = 50

interface ReplayOutcomeProps {
  result: ReplayResult
  /** those on the screen, by which refused ones get their lines */
  rows: readonly QuarantineItem[]
}

/** What became of the rows that ran again, one by one where they were refused again. */
export function ReplayOutcome({ result, rows }: ReplayOutcomeProps) {
  const { rejected } = result
  const sources = new Map(rows.map((row) => [row.quarantine_id, row.source]))
  const nameOf = (id: string) => {
    const source = sources.get(id)
    const from = source ? uploadRow(source) : null
    return from ? `Line ${formatCount(from.line)}` : `Row ${id.slice(0, 8)}`
  }
  return (
    <div className={`notice ${rejected.length > 0 ? 'notice-warn' : 'notice-good'}`}>
      <div>
        <p role="status">{describeReplay(result)}</p>
        {rejected.length > 0 && (
          <ul className="still-refused" aria-label="Still refused">
            {rejected.slice(0, SHOWN).map((row) => (
              <li key={row.quarantine_id}>
                {nameOf(row.quarantine_id)}: {row.reason} <code className="quiet">{row.reason_code}</code>
              </li>
            ))}
            {rejected.length > SHOWN && <li>and {plural(rejected.length - SHOWN, 'more row')}</li>}
          </ul>
        )}
      </div>
    </div>
  )
}
