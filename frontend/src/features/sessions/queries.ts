import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { stringifySearch } from '../../lib/search'
import { following } from '../filters/queries'
import type { View, ViewQuery } from '../filters/use-view'

export const SORTS = [
  '-started_at',
  'started_at',
  '-ended_at',
  'ended_at',
  '-dwell_seconds',
  'dwell_seconds',
  '-camera_id',
  'camera_id',
] as const
export type SessionSort = (typeof SORTS)[number]

export const PAGE_SIZE = 50

export function useSessions({ key, query }: View, sort: SessionSort, cursor: string | undefined) {
  return useQuery({
    queryKey: ['sessions', key, sort, cursor],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/sessions', { params: { query: { ...query, sort, cursor, limit: PAGE_SIZE } }, signal })),
    ...following,
  })
}

/** The whole filtered set, not the page that is shown. */
export function sessionsCsvAddress(query: ViewQuery, sort: SessionSort): string {
  return `/api/v1/sessions.csv${stringifySearch({ ...query, sort })}`
}
