import { Link, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { QuarantineItem, ReplayResult } from '../../api/types'
import { formatCount, formatInstant, plural } from '../../lib/format'
import { mayReplay, uploadRow } from '../../lib/quarantine'
import { rejectReason } from '../../lib/upload'
import { PageLinks } from '../../ui/page-links'
import { Panel } from '../../ui/panel'
import { useZone } from '../filters/use-view'
import { BulkFix } from './bulk-fix'
import { DismissGroup, DismissRow } from './dismiss'
import { useQuarantineRows } from './queries'
import { ReplayOutcome } from './replay-outcome'
import { RowEditor } from './row-editor'

/** What came of the last thing that was done here. */
type Outcome = { replayed: ReplayResult } | { dismissed: number }

interface GroupRowsProps {
  reason: string
  source: string | undefined
  words: string | undefined
}

/** The rows of one reason, each of which can be mended and run again, or all at once. */
export function GroupRows({ reason, source, words }: GroupRowsProps) {
  const { cursor } = useSearch({ from: '/shell/quarantine' })
  const rows = useQuarantineRows({ reason, source, cursor })
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => ref.current?.focus({ preventScroll: true }), [])

  return (
    <div ref={ref} tabIndex={-1} className="group-rows">
      <Panel
        title={`Rows: ${words ?? rejectReason(reason)}`}
        result={rows}
        height={300}
        isEmpty={(page) => page.items.length === 0 && outcome === null}
        empty={<p className="empty">No row is left here.</p>}
        actions={
          (rows.data?.items.length ?? 0) > 0 && (
            <DismissGroup reason={reason} source={source ?? ''} onDone={(dismissed) => setOutcome({ dismissed })} />
          )
        }
      >
        {(page) => (
          <>
            {outcome && 'replayed' in outcome && <ReplayOutcome result={outcome.replayed} rows={page.items} />}
            {outcome && 'dismissed' in outcome && (
              <p className="notice notice-good" role="status">
                {plural(outcome.dismissed, 'row')} dismissed.
              </p>
            )}
            {page.items.length > 0 && (source === undefined || mayReplay(source)) && (
              <BulkFix reason={reason} source={source ?? ''} onDone={(replayed) => setOutcome({ replayed })} />
            )}
            <ul className="refused" aria-label="Refused rows">
              {page.items.map((item) => (
                <Row key={item.quarantine_id} item={item} onDone={setOutcome} />
              ))}
            </ul>
            {(page.next_cursor || cursor) && <PageLinks cursor={cursor} next={page.next_cursor} />}
          </>
        )}
      </Panel>
    </div>
  )
}

function Row({ item, onDone }: { item: QuarantineItem; onDone: (outcome: Outcome) => void }) {
  const zone = useZone()
  const [editing, setEditing] = useState(false)
  const from = uploadRow(item.source)
  const name = from ? `line ${formatCount(from.line)}` : item.source
  return (
    <li aria-label={name}>
      <div className="refused-head">
        {from ? (
          <Link to="/uploads/$uploadId" params={{ uploadId: from.uploadId }} search={({ tz }) => ({ tz })}>
            Line {formatCount(from.line)}
          </Link>
        ) : (
          <span className="cell">{item.source}</span>
        )}
        <time className="quiet" dateTime={item.quarantined_at} title={formatInstant(item.quarantined_at, zone, 'full')}>
          {formatInstant(item.quarantined_at, zone)}
        </time>
        {item.camera_id && <span className="quiet cell">{item.camera_id}</span>}
        <span>{item.reason}</span>
        <span className="spacer" />
        {mayReplay(item.source) && !editing && (
          <button type="button" className="small" aria-label={`Edit ${name}`} onClick={() => setEditing(true)}>
            Edit
          </button>
        )}
        {!editing && <DismissRow id={item.quarantine_id} name={name} onDone={(dismissed) => onDone({ dismissed })} />}
      </div>
      {editing ? (
        <RowEditor
          item={item}
          name={name}
          onDone={(replayed) => onDone({ replayed })}
          onClose={() => setEditing(false)}
        />
      ) : (
        <code className="raw">{item.raw}</code>
      )}
    </li>
  )
}
