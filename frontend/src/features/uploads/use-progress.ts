import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Upload } from '../../api/types'
import { isMoving } from '../../lib/upload'
import { ProgressStreams } from './progress-streams'
import { uploadQuery } from './queries'

export const ProgressContext = createContext<ProgressStreams | null>(null)

export function createProgressStreams(client: QueryClient): ProgressStreams {
  return new ProgressStreams({
    open: (uploadId, on) => {
      const source = new EventSource(`/api/v1/uploads/${encodeURIComponent(uploadId)}/events`)
      source.onmessage = (event) => on.message(event.data)
      source.onerror = on.error
      return source
    },
    onUpload: (upload) => {
      const { queryKey } = uploadQuery(upload.upload_id)
      // An answer that was asked for earlier would turn the clock back.
      void client.cancelQueries({ queryKey, exact: true }, { silent: true })
      client.setQueryData(queryKey, upload)
    },
    onLost: (uploadId) => void client.invalidateQueries({ queryKey: uploadQuery(uploadId).queryKey }),
  })
}

/** Once a file is in, or out again, every number may be another. */
export function refreshAll(client: QueryClient): void {
  void client.invalidateQueries({ predicate: ({ queryKey: [first] }) => first !== 'me' && first !== 'preview' })
}

/** An upload, followed as long as something goes on with it. */
export function useUpload(id: string, initial?: Upload) {
  const streams = use(ProgressContext)
  if (!streams) throw new Error('no ProgressContext above')
  const client = useQueryClient()
  const result = useQuery({
    ...uploadQuery(id, streams),
    ...(initial && { initialData: initial, staleTime: Number.POSITIVE_INFINITY }),
  })
  const moving = result.data !== undefined && isMoving(result.data)
  useEffect(() => (moving ? streams.watch(id) : undefined), [id, moving, streams])
  const wasMoving = useRef(moving)
  useEffect(() => {
    if (wasMoving.current && !moving) refreshAll(client)
    wasMoving.current = moving
  }, [client, moving])
  const retryAt = useSyncExternalStore(streams.subscribe, () => streams.retryAt(id))
  return { result, retryAt }
}
