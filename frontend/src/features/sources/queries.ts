import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import type { Source, Sources } from '../../api/types'
import type { Span } from '../../lib/sources'

/** Everywhere for the freshness of the screen, and more often where one looks at nothing else. */
const REFETCH_MS = 10_000
export const WATCHED_MS = 3000

const SOURCES = ['sources']

export function useSources(everyMs = REFETCH_MS) {
  return useQuery({
    queryKey: SOURCES,
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/sources', { signal })),
    refetchInterval: everyMs,
  })
}

export type SourceCall = 'pause' | 'resume'

const CALLS = {
  pause: (name: string) => unwrap(api.POST('/api/v1/sources/{name}/pause', { params: { path: { name } } })),
  resume: (name: string) => unwrap(api.POST('/api/v1/sources/{name}/resume', { params: { path: { name } } })),
}

export function useSourceCall(name: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (call: SourceCall) => CALLS[call](name),
    onSuccess: (source) =>
      client.setQueryData<Sources>(SOURCES, (before) => before && { ...before, items: replaced(before.items, source) }),
    onSettled: () => client.invalidateQueries({ queryKey: SOURCES }),
  })
}

function replaced(sources: readonly Source[], by: Source): Source[] {
  return sources.map((source) => (source.name === by.name ? by : source))
}

/** Tries the connection out; answers with what was found, in a sentence. */
export function useSourceTest(name: string) {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/sources/{name}/test', { params: { path: { name } } })),
  })
}

export function useBackfill(name: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Span) =>
      unwrap(api.POST('/api/v1/sources/{name}/backfill', { params: { path: { name } }, body })),
    onSettled: () => client.invalidateQueries({ queryKey: SOURCES }),
  })
}
