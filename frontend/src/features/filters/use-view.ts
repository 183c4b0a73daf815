import { useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useMinute } from '../../hooks/use-clock'
import { useSetSearch } from '../../hooks/use-set-search'
import type { Filters } from '../../lib/search'
import { resolveRange, snapToMinutes, type TimeRange, toIso } from '../../lib/time-range'
import { useFilterOptions } from './queries'

/** The common filters as every read of the HTTP interface takes them. */
export interface ViewQuery {
  from: string
  to: string
  tz: string
  camera_id?: string[] | undefined
  age_group?: string[] | undefined
  gender?: string[] | undefined
  min_dwell?: number | undefined
  max_dwell?: number | undefined
}

export interface View {
  /**
   * What is asked for, a relative range left relative: the identity of a read. As the minutes pass it stays the same,
   * so that an answer is renewed in place and outlives a failure to renew it.
   */
  key: Filters
  filters: Filters
  zone: string
  range: TimeRange
  query: ViewQuery
}

/** What the address asks to see, with its relative range made absolute. */
export function useView(): View {
  const filters = useSearch({ from: '/shell' })
  const now = useMinute()
  const zone = useZone()
  return useMemo(() => {
    const range = resolveRange(filters, now, zone)
    const { camera_id, age_group, gender, min_dwell, max_dwell } = filters
    const narrowed = { tz: zone, camera_id, age_group, gender, min_dwell, max_dwell }
    const key = { range: filters.range, from: filters.from, to: filters.to, ...narrowed }
    const query = { from: toIso(range.from), to: toIso(range.to), ...narrowed }
    return { key, filters, zone, range, query }
  }, [filters, now, zone])
}

/** The zone in which times are read and days begin: the address's, else the site's. */
export function useZone(): string {
  const { tz } = useSearch({ from: '/shell' })
  const { site_timezone } = useFilterOptions()
  return tz ?? site_timezone
}

/** For a stretch drawn on a chart, in epoch milliseconds. */
export function useZoom(): (from: number, to: number) => void {
  const setFilters = useSetFilters()
  return (from, to) => {
    const range = snapToMinutes(from, to)
    setFilters({ range: undefined, from: toIso(range.from), to: toIso(range.to) })
  }
}

/** Changes the address; a page of a list that is now another list begins at its beginning. */
export function useSetFilters(): (change: Filters) => void {
  const setSearch = useSetSearch()
  return (change) => setSearch({ ...change, cursor: undefined, sel: undefined })
}
