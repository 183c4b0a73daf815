import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import type { DismissRequest, ReplayRequest, ReplayResult } from '../../api/types'
import { addResults } from '../../lib/quarantine'
import { refreshAll } from '../uploads/use-progress'

const REFETCH_MS = 15_000
const COUNT_MS = 5000
export const ROWS_PAGE = 25

export function useQuarantineGroups(source: string | undefined) {
  return useQuery({
    queryKey: ['quarantine', 'groups', source],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/quarantine/groups', { params: { query: { source } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: REFETCH_MS,
  })
}

interface RowsQuery {
  reason?: string | undefined
  source?: string | undefined
  cursor?: string | undefined
  limit?: number
}

export function useQuarantineRows({ reason, source, cursor, limit = ROWS_PAGE }: RowsQuery) {
  return useQuery({
    queryKey: ['quarantine', 'rows', reason, source, cursor, limit],
    queryFn: ({ signal }) => {
      const query = { ...(reason && { reason_code: [reason] }), source, cursor, limit }
      return unwrap(api.GET('/api/v1/quarantine', { params: { query }, signal }))
    },
    placeholderData: keepPreviousData,
  })
}

/** How many rows there are, whatever part of the list is on the screen; those of a fresh upload are still coming in. */
export function useQuarantineCount(reason: string, source: string): number {
  const { data } = useQuery({
    queryKey: ['quarantine', 'count', reason, source],
    queryFn: ({ signal }) => {
      const query = { reason_code: [reason], source: source || undefined, limit: 1 }
      return unwrap(api.GET('/api/v1/quarantine', { params: { query }, signal }))
    },
    refetchInterval: COUNT_MS,
  })
  return data?.total ?? 0
}

/** Of a large group the server takes a few thousand rows at a time. */
async function replay(body: ReplayRequest): Promise<ReplayResult> {
  let result = await unwrap(api.POST('/api/v1/quarantine/replay', { body }))
  while (result.next_cursor && 'fix' in body) {
    const next = { ...body, cursor: result.next_cursor }
    result = addResults(result, await unwrap(api.POST('/api/v1/quarantine/replay', { body: next })))
  }
  return result
}

/** Accepted rows leave the quarantine, raise their upload's count and change what the charts show. */
export function useReplay() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: replay,
    onSettled: () => refreshAll(client),
  })
}

/** Takes rows out of the quarantine as they are; returns how many those were. */
export function useDismiss() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (body: DismissRequest) =>
      (await unwrap(api.POST('/api/v1/quarantine/dismiss', { body }))).dismissed,
    // Not waited for: whoever asked has to hear before the row is gone from the screen.
    onSettled: () => void client.invalidateQueries({ queryKey: ['quarantine'] }),
  })
}
