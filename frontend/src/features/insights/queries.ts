import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { following } from '../filters/queries'
import type { ViewQuery } from '../filters/use-view'

/** One page: what the lane under the chart can show apart. */
const PAGE_SIZE = 200

export function useInsights(query: ViewQuery, cursor: string | undefined) {
  return useQuery({
    queryKey: ['insights', query, cursor],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/insights', { params: { query: { ...query, cursor, limit: PAGE_SIZE } }, signal })),
    ...following,
  })
}

export function useCorrelation(query: ViewQuery) {
  return useQuery({
    queryKey: ['insights', 'correlation', query],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/insights/correlation', { params: { query }, signal })),
    ...following,
  })
}

export function useInsightHours(query: ViewQuery, enabled: boolean) {
  return useQuery({
    queryKey: ['insights', 'hourly', query],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/insights/hourly', { params: { query }, signal })),
    enabled,
    ...following,
  })
}
