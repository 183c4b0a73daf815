import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import type { Alert } from '../../api/types'
import { REFETCH_MS } from '../filters/queries'

const PAGE_SIZE = 50

export function useAlertPages(status: Alert['status'] | undefined) {
  return useInfiniteQuery({
    queryKey: ['alerts', 'list', status],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/v1/alerts', { params: { query: { status, cursor: pageParam, limit: PAGE_SIZE } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: (data) => ({ items: data.pages.flatMap((page) => page.items), total: data.pages[0]?.total ?? 0 }),
    refetchInterval: REFETCH_MS,
  })
}

export function useOpenAlertCount(): number {
  const { data } = useQuery({
    queryKey: ['alerts', 'open-count'],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/alerts', { params: { query: { status: 'open', limit: 1 } }, signal })),
    select: (page) => page.total,
    refetchInterval: REFETCH_MS,
  })
  return data ?? 0
}

export function useAcknowledge() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (alertId: string) =>
      unwrap(api.POST('/api/v1/alerts/{alert_id}/acknowledge', { params: { path: { alert_id: alertId } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  })
}
