import type { FormEvent } from 'react'
import { Popover } from '../../ui/popover'
import { useSetFilters, useView } from './use-view'

function seconds(value: FormDataEntryValue | null): number | undefined {
  return value === null || value === '' ? undefined : Number(value)
}

export function DwellFilter() {
  const { filters } = useView()
  const setFilters = useSetFilters()
  const active = filters.min_dwell !== undefined || filters.max_dwell !== undefined

  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    setFilters({ min_dwell: seconds(data.get('min')), max_dwell: seconds(data.get('max')) })
  }

  return (
    <Popover label={active ? 'Dwell · 1' : 'Dwell'} className="select">
      <form key={`${filters.min_dwell} ${filters.max_dwell}`} className="dwell-form" onSubmit={apply}>
        <label className="field">
          <span>At least, seconds</span>
          <input name="min" type="number" min="0" step="any" defaultValue={filters.min_dwell} />
        </label>
        <label className="field">
          <span>At most, seconds</span>
          <input name="max" type="number" min="0" step="any" defaultValue={filters.max_dwell} />
        </label>
        <button type="submit">Apply</button>
      </form>
    </Popover>
  )
}
