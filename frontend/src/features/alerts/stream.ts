import { type QueryClient, queryOptions, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useMemo, useSyncExternalStore } from 'react'
import { api, unwrap } from '../../api/client'
import { useSecond } from '../../hooks/use-clock'
import { AlertStream, type StreamSnapshot } from '../../lib/alert-stream'
import { type Freshness, freshness } from '../../lib/freshness'
import { isHeard } from '../../lib/sources'
import { useZone } from '../filters/use-view'
import { useSources } from '../sources/queries'

const BADGE_DELAY_MS = 1000

const liveQuery = queryOptions({
  queryKey: ['live'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/v1/live', { signal })),
  staleTime: 60_000,
})

export const StreamContext = createContext<AlertStream | null>(null)

export function createAlertStream(client: QueryClient): AlertStream {
  return new AlertStream({
    address: async () => (await client.fetchQuery(liveQuery)).url,
    open: (url, on) => {
      const socket = new WebSocket(url)
      socket.onopen = on.open
      socket.onmessage = (event) => on.message(event.data)
      socket.onclose = on.close
      return socket
    },
    onGap: () => void client.invalidateQueries({ queryKey: ['alerts'] }),
    // Asked again, the interface refuses too, and that leads to the login page.
    onSignedOut: () => void client.invalidateQueries({ queryKey: ['me'] }),
  })
}

/** The one connection of this tab, as it is now. */
export function useAlertStream(): StreamSnapshot {
  const stream = use(StreamContext)
  if (!stream) throw new Error('no StreamContext above')
  return useSyncExternalStore(stream.subscribe, stream.getSnapshot)
}

/** Holds the connection open as long as somebody is signed in. */
export function useRunningStream(): void {
  const stream = use(StreamContext)
  const client = useQueryClient()
  useEffect(() => {
    if (!stream) return
    const retry = () => stream.retryNow()
    window.addEventListener('online', retry)
    stream.start()
    return () => {
      window.removeEventListener('online', retry)
      stream.stop()
    }
  }, [stream])

  // An open alert is updated every few seconds; the number of open ones changes only as they open and resolve.
  const { alerts } = useAlertStream()
  const states = useMemo(
    () =>
      [...alerts.values()]
        .map((alert) => alert.alert_id + alert.status)
        .sort()
        .join(),
    [alerts],
  )
  useEffect(() => {
    if (states === '') return
    const timer = setTimeout(() => {
      void client.invalidateQueries({ queryKey: ['alerts', 'open-count'] })
    }, BADGE_DELAY_MS)
    return () => clearTimeout(timer)
  }, [client, states])
}

function latest(instants: readonly (string | null | undefined)[]): number | null {
  const known = instants.filter((instant) => instant != null).map((instant) => Date.parse(instant))
  return known.length > 0 ? Math.max(...known) : null
}

/** The current second by the server's clock, as near as the stream knows it. */
export function useServerSecond(): number {
  return useSecond() + useAlertStream().clockOffset
}

/** What the connection and the sources together allow to be said about how fresh the screen is. */
export function useFreshness(): Freshness {
  const second = useSecond()
  const zone = useZone()
  const stream = useAlertStream()
  const { data } = useSources()
  const sources = data?.items
  const heard = useMemo(
    () => ({
      // The connector tells of its cameras also while its sources are away: what those say goes before.
      heartbeat: sources?.length
        ? latest(sources.filter(isHeard).map(({ updated_at }) => updated_at))
        : latest([stream.sourceHeartbeatAt]),
      event: latest([stream.newestEventTime, ...(sources?.map((source) => source.newest_event_at) ?? [])]),
    }),
    [sources, stream.newestEventTime, stream.sourceHeartbeatAt],
  )
  const ahead = stream.clockOffset
  const onServer = (instant: number | null) => (instant === null ? null : instant + ahead)
  return freshness({
    now: second + ahead,
    connection: stream.connection,
    lastFrameAt: onServer(stream.lastFrameAt),
    retryAt: onServer(stream.retryAt),
    sourceHeartbeat: heard.heartbeat,
    newestEvent: heard.event,
    zone,
  })
}
