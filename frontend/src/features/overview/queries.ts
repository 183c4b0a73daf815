import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { following } from '../filters/queries'
import type { View } from '../filters/use-view'

export function useSummary({ key, query }: View, compare: 'previous' | undefined) {
  return useQuery({
    queryKey: ['summary', key, compare],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/analytics/summary', { params: { query: { ...query, compare } }, signal })),
    ...following,
  })
}

export function useDwellHistogram({ key, query }: View) {
  return useQuery({
    queryKey: ['histogram', key],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/analytics/dwell/histogram', { params: { query }, signal })),
    ...following,
  })
}

export function useDemographics({ key, query }: View) {
  return useQuery({
    queryKey: ['demographics', key],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/analytics/demographics', { params: { query }, signal })),
    ...following,
  })
}
