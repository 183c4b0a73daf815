import { keepPreviousData, queryOptions, useSuspenseQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, unwrap } from '../../api/client'
import type { FilterOptions } from '../../api/types'
import { fromLocalInput } from '../../lib/zone'

/** How often what is on the screen is asked for again; late data change past ranges too. */
export const REFETCH_MS = 15_000

export const filterOptionsQuery = queryOptions({
  queryKey: ['filters'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/v1/filters', { signal })),
  refetchInterval: (query) => (query.state.data?.first_day ? 60_000 : 5000),
})

/** What one can filter by; the routes under the shell are not entered before it is known. */
export function useFilterOptions(): FilterOptions {
  return useSuspenseQuery(filterOptionsQuery).data
}

/** How people call a camera; the stream of alerts knows only its id. */
export function useCameraNames(): ReadonlyMap<string, string> {
  const { cameras } = useFilterOptions()
  return useMemo(
    () => new Map(cameras.map((camera) => [camera.camera_id, camera.description ?? camera.camera_id])),
    [cameras],
  )
}

/** Midnight at the site of the first day with data, in epoch milliseconds; 0 while there is none. */
export function useFirstInstant(): number {
  const { first_day, site_timezone } = useFilterOptions()
  return first_day ? (fromLocalInput(`${first_day}T00:00`, site_timezone) ?? 0) : 0
}

/** For every read that follows the filters: the old answer stays while the new one is on its way. */
export const following = {
  placeholderData: keepPreviousData,
  // Where there is nothing to renew, asking on would make the failure flicker.
  refetchInterval: (query: { state: { status: string; data: unknown } }) =>
    query.state.status === 'error' && query.state.data === undefined ? false : REFETCH_MS,
} as const
