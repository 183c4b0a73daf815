import {
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { problemFrom } from '../../api/problem'
import type { Upload, UploadPreview } from '../../api/types'
import { isMoving, type UploadAction } from '../../lib/upload'
import type { ProgressStreams } from './progress-streams'
import { findUnfinished, forgetUnfinished } from './send-resumable'

/** Between questions where no events come in, and where they do: the answer then only confirms them. */
const POLL_MS = 3000
const CONFIRM_MS = 10_000
const HISTORY_MS = 15_000
const HISTORY_PAGE = 50
/** The server looks at this much; one byte more tells it that the file goes on. */
const PREVIEW_BYTES = 512 * 1024 + 1

export const uploadQuery = (id: string, streams?: ProgressStreams) =>
  queryOptions({
    queryKey: ['uploads', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } }, signal })),
    refetchInterval: ({ state: { data } }) => {
      if (data && !isMoving(data)) return HISTORY_MS
      return streams?.isOpen(id) ? CONFIRM_MS : POLL_MS
    },
  })

export function useUploadHistory(status: Upload['status'][] | undefined) {
  return useInfiniteQuery({
    queryKey: ['uploads', 'history', status],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/uploads', { params: { query: { status, cursor: pageParam, limit: HISTORY_PAGE } }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    select: (data) => ({ items: data.pages.flatMap((page) => page.items) }),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some(isMoving)) ? POLL_MS : HISTORY_MS,
  })
}

const CALLS: Record<Exclude<UploadAction, 'decide'> | 'import' | 'drop', (id: string) => Promise<Upload>> = {
  cancel: (id) => unwrap(api.POST('/api/v1/uploads/{upload_id}/cancel', { params: { path: { upload_id: id } } })),
  retry: (id) => unwrap(api.POST('/api/v1/uploads/{upload_id}/retry', { params: { path: { upload_id: id } } })),
  undo: (id) => unwrap(api.DELETE('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } } })),
  import: (id) => decide(id, 'import'),
  drop: (id) => decide(id, 'drop'),
}

function decide(id: string, choice: 'import' | 'drop'): Promise<Upload> {
  return unwrap(
    api.POST('/api/v1/uploads/{upload_id}/decision', { params: { path: { upload_id: id } }, body: { choice } }),
  )
}

export type UploadCall = keyof typeof CALLS

export function useUploadCall(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (call: UploadCall) => CALLS[call](id),
    onSuccess: (upload) => client.setQueryData(uploadQuery(id).queryKey, upload),
    onSettled: () => client.invalidateQueries({ queryKey: ['uploads'] }),
  })
}

/** The most that the server takes, in bytes; null until it is known. */
export function useUploadLimit(): number | null {
  const { data } = useQuery({
    queryKey: ['upload-limit'],
    queryFn: async ({ signal }) => {
      const { response } = await api.OPTIONS('/api/v1/tus', { signal })
      if (!response.ok) throw problemFrom(response.status, null)
      return Number(response.headers.get('Tus-Max-Size')) || null
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
  return data ?? null
}

export function usePreview(file: File, timezone: string) {
  return useQuery({
    queryKey: ['preview', file.name, file.size, file.lastModified, timezone],
    queryFn: ({ signal }) => readPreview(file, timezone, signal),
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

async function readPreview(file: File, timezone: string, signal: AbortSignal): Promise<UploadPreview> {
  const body = new FormData()
  body.append('timezone', timezone)
  body.append('file', file.slice(0, PREVIEW_BYTES), file.name)
  const request = new Request(`${location.origin}/api/v1/uploads/preview`, { method: 'POST', body, signal })
  const response = await fetch(request).catch((cause) => {
    throw signal.aborted ? cause : problemFrom(0, null)
  })
  const answer: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemFrom(response.status, answer)
  return answer as UploadPreview
}

const unfinishedQuery = queryOptions({ queryKey: ['unfinished'], queryFn: findUnfinished })

/** What this browser began to send earlier and can go on with. */
export function useUnfinished() {
  const client = useQueryClient()
  const { data = [] } = useQuery(unfinishedQuery)
  const forget = useMutation({
    mutationFn: forgetUnfinished,
    onSettled: () => client.invalidateQueries(unfinishedQuery),
  })
  return { unfinished: data, forget: forget.mutate }
}
