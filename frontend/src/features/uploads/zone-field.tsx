import { useMemo } from 'react'
import { browserZone } from '../../lib/zone'
import { useFilterOptions } from '../filters/queries'

interface ZoneFieldProps {
  label: string
  value: string
  onChange: (zone: string) => void
  /** what it means to name no zone; without it one has to be named */
  none?: string
}

/** A zone for times that name none: those that are likely here first, then every other. */
export function ZoneField({ label, value, onChange, none }: ZoneFieldProps) {
  const { site_timezone } = useFilterOptions()
  const likely = [...new Set(['UTC', site_timezone, browserZone(), ...(value ? [value] : [])])]
  const others = useMemo(() => Intl.supportedValuesOf('timeZone'), [])
  return (
    <label className="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {none && <option value="">{none}</option>}
        <optgroup label="Likely">
          {likely.map((zone) => (
            <option key={zone} value={zone}>
              {zone === site_timezone ? `Site (${zone})` : zone}
            </option>
          ))}
        </optgroup>
        <optgroup label="Others">
          {others
            .filter((zone) => !likely.includes(zone))
            .map((zone) => (
              <option key={zone} value={zone}>
                {zone}
              </option>
            ))}
        </optgroup>
      </select>
    </label>
  )
}
