import { queryOptions, useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { isFinished } from '../../lib/upload'

const POLL_MS = 1000
const HISTORY_MS = 15_000
const BUSY_HISTORY_MS = 3000

export const uploadQuery = (id: string) =>
  queryOptions({
    queryKey: ['uploads', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data && isFinished(query.state.data) ? false : POLL_MS),
  })

export function useUploadHistory() {
  return useQuery({
    queryKey: ['uploads', 'history'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/uploads', { params: { query: { limit: 50 } }, signal })),
    refetchInterval: (query) => (query.state.data?.items.every(isFinished) ? HISTORY_MS : BUSY_HISTORY_MS),
  })
}
