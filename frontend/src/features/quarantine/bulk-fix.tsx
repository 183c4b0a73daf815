import { type FormEvent, useId, useState } from 'react'
import type { ReplayRequest, ReplayResult } from '../../api/types'
import { plural } from '../../lib/format'
import { Confirm } from '../../ui/dialog'
import { ZoneField } from '../uploads/zone-field'
import { useQuarantineCount, useReplay } from './queries'

/** Those that are usually broken; any other column of the file may be named too. */
const FIELDS = [
  'person_id',
  'camera_id',
  'utc_time_started_readable',
  'utc_time_ended_readable',
  'utc_time_started',
  'utc_time_ended',
]

interface BulkFixProps {
  reason: string
  source: string
  onDone: (result: ReplayResult) => void
}

/** One change to every row of a reason, told in rows before it is made. */
export function BulkFix({ reason, source, onDone }: BulkFixProps) {
  const listId = useId()
  const [kind, setKind] = useState<'replace' | 'timezone'>('replace')
  const [field, setField] = useState('')
  const [find, setFind] = useState('')
  const [replace, setReplace] = useState('')
  const [timezone, setTimezone] = useState('UTC')
  const [asking, setAsking] = useState(false)
  const replay = useReplay()
  const count = useQuarantineCount(reason, source)

  const ask = (event: FormEvent) => {
    event.preventDefault()
    replay.reset()
    setAsking(true)
  }
  const run = () => {
    const body: ReplayRequest = {
      reason_code: reason,
      source,
      fix: kind === 'timezone' ? { timezone } : { field, find, replace },
    }
    replay.mutate(body, {
      onSuccess: (result) => {
        setAsking(false)
        onDone(result)
      },
    })
  }

  return (
    <details className="bulk">
      <summary>Fix all {plural(count, 'row')} at once</summary>
      <form onSubmit={ask}>
        <fieldset className="tabs">
          <legend className="visually-hidden">What to change</legend>
          <button type="button" className="small" aria-pressed={kind === 'replace'} onClick={() => setKind('replace')}>
            Replace in a field
          </button>
          <button
            type="button"
            className="small"
            aria-pressed={kind === 'timezone'}
            onClick={() => setKind('timezone')}
          >
            Another time zone
          </button>
        </fieldset>
        {kind === 'replace' ? (
          <div className="bulk-fields">
            <label className="field">
              <span>Field</span>
              <input required list={listId} value={field} onChange={(event) => setField(event.target.value)} />
              <datalist id={listId}>
                {FIELDS.map((name) => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </label>
            <label className="field">
              <span>Find (empty: where it is blank)</span>
              <input value={find} onChange={(event) => setFind(event.target.value)} />
            </label>
            <label className="field">
              <span>Replace with</span>
              <input value={replace} onChange={(event) => setReplace(event.target.value)} />
            </label>
          </div>
        ) : (
          <ZoneField label="Read times without a zone as of" value={timezone} onChange={setTimezone} />
        )}
        <button type="submit" disabled={count === 0}>
          Fix and run again
        </button>
      </form>
      {asking && (
        <Confirm
          title={`Run ${plural(count, 'row')} again?`}
          confirm={`Run ${plural(count, 'row')} again`}
          busy={replay.isPending}
          error={replay.error}
          onConfirm={run}
          onClose={() => setAsking(false)}
        >
          <p>
            {kind === 'timezone' ? (
              <>
                Times that name no zone are read as of <strong>{timezone}</strong>.
              </>
            ) : (
              <>
                In <strong>{field}</strong>, {find === '' ? 'an empty value' : <q>{find}</q>} becomes{' '}
                {replace === '' ? 'empty' : <q>{replace}</q>}.
              </>
            )}
          </p>
          <p>Rows that are good then are counted, once, in their upload. Those that are not stay here.</p>
        </Confirm>
      )}
    </details>
  )
}
