import type { ReactNode } from 'react'
import { formatSpan } from '../../lib/format'
import { zoneLabel } from '../../lib/zone'
import { DwellFilter } from './dwell-filter'
import { FilterChips } from './filter-chips'
import { MultiSelect } from './multi-select'
import { useFilterOptions } from './queries'
import { RangeSelect } from './range-select'
import { useSetFilters, useView } from './use-view'
import { ZoneSelect } from './zone-select'

export function FilterBar({ children }: { children?: ReactNode }) {
  const { filters, zone, range } = useView()
  const options = useFilterOptions()
  const setFilters = useSetFilters()
  const cameras = options.cameras.map((camera) => ({
    value: camera.camera_id,
    label: camera.description ?? camera.camera_id,
  }))

  return (
    <section className="filters" aria-label="Filters">
      <div className="filter-row">
        <RangeSelect />
        <ZoneSelect />
        <MultiSelect
          label="Camera"
          options={cameras}
          chosen={filters.camera_id}
          onChange={(camera_id) => setFilters({ camera_id })}
        />
        <MultiSelect
          label="Age group"
          options={options.age_groups.map((value) => ({ value, label: value }))}
          chosen={filters.age_group}
          onChange={(age_group) => setFilters({ age_group })}
        />
        <MultiSelect
          label="Gender"
          options={options.genders.map((value) => ({ value, label: value }))}
          chosen={filters.gender}
          onChange={(gender) => setFilters({ gender })}
        />
        <DwellFilter />
        {children}
      </div>
      <p className="range-line">
        {formatSpan(range.from, range.to, zone)} <span className="quiet">· {zoneLabel(zone, range.to)}</span>
        {!range.live && <span className="quiet"> · in the past</span>}
      </p>
      <FilterChips />
    </section>
  )
}
