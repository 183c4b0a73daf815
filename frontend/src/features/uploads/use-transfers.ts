import { useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useSyncExternalStore } from 'react'
import type { Transfer, Transfers } from './transfers'

export const TransfersContext = createContext<Transfers | null>(null)

export function useTransfers(): { transfers: Transfers; list: readonly Transfer[] } {
  const transfers = use(TransfersContext)
  if (!transfers) throw new Error('no TransfersContext above')
  return { transfers, list: useSyncExternalStore(transfers.subscribe, transfers.getSnapshot) }
}

const ON_THEIR_WAY: readonly Transfer['state'][] = ['waiting', 'sending', 'interrupted', 'paused']

/**
 * Asks before the tab is closed while a file is still being sent, and goes on as soon as the network is back. Returns how
 * many files are on their way.
 */
export function useRunningTransfers(): number {
  const client = useQueryClient()
  const { transfers, list } = useTransfers()
  const count = list.filter((transfer) => ON_THEIR_WAY.includes(transfer.state)).length
  const sending = count > 0
  useEffect(() => {
    if (!sending) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    const retry = () => transfers.retryNow()
    window.addEventListener('beforeunload', ask)
    window.addEventListener('online', retry)
    return () => {
      window.removeEventListener('beforeunload', ask)
      window.removeEventListener('online', retry)
      void client.invalidateQueries({ queryKey: ['unfinished'] })
    }
  }, [client, sending, transfers])
  return count
}
