import { type FormEvent, useEffect, useState } from 'react'
import { DEFAULT_PRESET, isPreset, PRESETS, toIso } from '../../lib/time-range'
import { fromLocalInput, toLocalInput } from '../../lib/zone'
import { useSetFilters, useView } from './use-view'

const CUSTOM = 'custom'

export function RangeSelect() {
  const { filters } = useView()
  const setFilters = useSetFilters()
  const isCustom = Boolean(filters.from)
  const [editing, setEditing] = useState(false)

  useEffect(() => {
    if (isCustom) setEditing(false)
  }, [isCustom])

  const choose = (value: string) => {
    setEditing(value === CUSTOM)
    if (isPreset(value)) setFilters({ range: value, from: undefined, to: undefined })
  }

  return (
    <>
      <label className="field">
        <span>Time range</span>
        <select
          value={isCustom || editing ? CUSTOM : (filters.range ?? DEFAULT_PRESET)}
          onChange={(event) => choose(event.target.value)}
        >
          {Object.entries(PRESETS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          <option value={CUSTOM}>Custom…</option>
        </select>
      </label>
      {(isCustom || editing) && <CustomRange onApplied={() => setEditing(false)} />}
    </>
  )
}

function CustomRange({ onApplied }: { onApplied: () => void }) {
  const { filters, range, zone } = useView()
  const setFilters = useSetFilters()
  const [error, setError] = useState('')
  const { from, to } = range

  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const start = fromLocalInput(String(data.get('from')), zone)
    const end = fromLocalInput(String(data.get('to')), zone)
    if (start === null || end === null || start >= end) {
      setError('“From” must lie before “to”.')
      return
    }
    setError('')
    setFilters({ range: undefined, from: toIso(start), to: toIso(end) })
    onApplied()
  }

  return (
    // The fields hold what is being typed; only another range or zone in the address replaces it.
    <form key={`${filters.from} ${filters.to} ${zone}`} className="custom-range" onSubmit={apply}>
      <label className="field">
        <span>From</span>
        <input type="datetime-local" name="from" defaultValue={toLocalInput(from, zone)} required />
      </label>
      <label className="field">
        <span>To</span>
        <input type="datetime-local" name="to" defaultValue={toLocalInput(to, zone)} required />
      </label>
      <button type="submit">Apply</button>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
    </form>
  )
}
