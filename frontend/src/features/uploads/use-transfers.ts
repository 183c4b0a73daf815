import { useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useSyncExternalStore } from 'react'
import type { Upload } from '../../api/types'
import { isFinished } from '../../lib/upload'
import type { Transfer, Transfers } from './transfers'

export const TransfersContext = createContext<Transfers | null>(null)

export function useTransfers(): { transfers: Transfers; list: readonly Transfer[] } {
  const transfers = use(TransfersContext)
  if (!transfers) throw new Error('no TransfersContext above')
  return { transfers, list: useSyncExternalStore(transfers.subscribe, transfers.getSnapshot) }
}

/** Once a file is in, every number may be another. */
export function useRefreshWhenFinished(upload: Upload): void {
  const client = useQueryClient()
  const finished = isFinished(upload)
  useEffect(() => {
    if (finished) void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'me' })
  }, [client, finished])
}

/** Asks before the tab is closed while a file is still being sent. */
export function useLeaveWarning(): void {
  const { list } = useTransfers()
  const sending = list.some((transfer) => transfer.state === 'sending' || transfer.state === 'waiting')
  useEffect(() => {
    if (!sending) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [sending])
}
