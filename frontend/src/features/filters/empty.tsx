import { Link } from '@tanstack/react-router'
import { formatInstant } from '../../lib/format'
import { isFiltered, NO_FILTERS } from '../../lib/search'
import { toIso } from '../../lib/time-range'
import { fromLocalInput, startOfDay } from '../../lib/zone'
import { hasRole, useMe } from '../auth/queries'
import { useFilterOptions } from './queries'
import { useSetFilters, useView } from './use-view'

/** Nothing to show, and what to do about it: nothing was ever there, or the filters leave nothing over. */
export function Empty() {
  const options = useFilterOptions()
  const me = useMe()
  const { filters } = useView()
  const setFilters = useSetFilters()
  const { first_day, last_day, site_timezone } = options

  if (!first_day || !last_day) {
    return (
      <div className="empty">
        <p>No data yet.</p>
        {hasRole(me, 'operator') && (
          <Link to="/uploads" search={(before) => before} className="button">
            Upload a file
          </Link>
        )}
      </div>
    )
  }

  const first = fromLocalInput(`${first_day}T00:00`, site_timezone) ?? 0
  const last = fromLocalInput(`${last_day}T00:00`, site_timezone) ?? 0
  const showAll = () => {
    const to = startOfDay(last, site_timezone, 1)
    setFilters({ range: undefined, from: toIso(first), to: toIso(to) })
  }
  return (
    <div className="empty">
      <p>Nothing in this time range{isFiltered(filters) && ' with these filters'}.</p>
      <div className="row">
        {isFiltered(filters) && (
          <button type="button" onClick={() => setFilters(NO_FILTERS)}>
            Clear filters
          </button>
        )}
        <button type="button" onClick={showAll}>
          Show all days: {formatInstant(first, site_timezone, 'day')} – {formatInstant(last, site_timezone, 'day')}
        </button>
      </div>
    </div>
  )
}
