import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { following } from '../filters/queries'
import type { View } from '../filters/use-view'

/** One page: what the lane under the chart can show apart. */
const PAGE_SIZE = 200

export function useInsights({ key, query }: View, cursor: string | undefined) {
  return useQuery({
    queryKey: ['insights', key, cursor],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/insights', { params: { query: { ...query, cursor, limit: PAGE_SIZE } }, signal })),
    ...following,
  })
}

export function useCorrelation({ key, query }: View) {
  return useQuery({
    queryKey: ['insights', 'correlation', key],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/insights/correlation', { params: { query }, signal })),
    ...following,
  })
}

export function useInsightHours({ key, query }: View, enabled: boolean) {
  return useQuery({
    queryKey: ['insights', 'hourly', key],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/insights/hourly', { params: { query }, signal })),
    enabled,
    ...following,
  })
}
