import { browserZone } from '../../lib/zone'
import { useFilterOptions } from './queries'
import { useSetFilters, useView } from './use-view'

/** A zone goes into the address by its name, so that a shared link reads the same at every desk. */
export function ZoneSelect() {
  const { zone } = useView()
  const { site_timezone } = useFilterOptions()
  const setFilters = useSetFilters()
  const mine = browserZone()
  const choices = new Map([
    [site_timezone, `Site (${site_timezone})`],
    ...(site_timezone === 'UTC' ? [] : [['UTC', 'UTC'] as const]),
    ...(mine === site_timezone || mine === 'UTC' ? [] : [[mine, `Mine (${mine})`] as const]),
  ])
  if (!choices.has(zone)) choices.set(zone, zone)

  return (
    <label className="field">
      <span>Time zone</span>
      <select
        value={zone}
        onChange={(event) => setFilters({ tz: event.target.value === site_timezone ? undefined : event.target.value })}
      >
        {[...choices].map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  )
}
