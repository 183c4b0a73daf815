import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { following } from '../filters/queries'
import type { ViewQuery } from '../filters/use-view'

export function useSummary(query: ViewQuery, compare: 'previous' | undefined) {
  return useQuery({
    queryKey: ['summary', query, compare],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/analytics/summary', { params: { query: { ...query, compare } }, signal })),
    ...following,
  })
}

export function useDwellHistogram(query: ViewQuery) {
  return useQuery({
    queryKey: ['histogram', query],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/analytics/dwell/histogram', { params: { query }, signal })),
    ...following,
  })
}

export function useDemographics(query: ViewQuery) {
  return useQuery({
    queryKey: ['demographics', query],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/analytics/demographics', { params: { query }, signal })),
    ...following,
  })
}
