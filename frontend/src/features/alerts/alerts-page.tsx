import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { Alert } from '../../api/types'
import { useSetSearch } from '../../hooks/use-set-search'
import { mergeAlerts } from '../../lib/alerts'
import { formatCount } from '../../lib/format'
import { zoneLabel } from '../../lib/zone'
import { Page } from '../../ui/page'
import { Panel } from '../../ui/panel'
import { hasRole, useMe } from '../auth/queries'
import { useCameraNames } from '../filters/queries'
import { useZone } from '../filters/use-view'
import { AlertItem } from './alert-item'
import { useAlertPages } from './queries'
import { useAlertStream } from './stream'
import { useArrivals } from './use-arrivals'

/** Keeps the page light however many arrive; more are shown on request. */
const SHOWN_AT_FIRST = 100

const TABS: { status: Alert['status'] | undefined; label: string }[] = [
  { status: undefined, label: 'All' },
  { status: 'open', label: 'Open' },
  { status: 'resolved', label: 'Resolved' },
]

export function AlertsPage() {
  const { status } = useSearch({ from: '/shell/alerts' })
  return (
    <Page title="Live alerts">
      <Tabs status={status} />
      {/* Keyed by what is listed: a list that was paused is another list's business. */}
      <AlertList key={status ?? 'all'} status={status} />
    </Page>
  )
}

function Tabs({ status }: { status: Alert['status'] | undefined }) {
  const setSearch = useSetSearch()
  return (
    <fieldset className="tabs">
      <legend className="visually-hidden">Which alerts</legend>
      {TABS.map((tab) => (
        <button
          key={tab.label}
          type="button"
          aria-pressed={tab.status === status}
          onClick={() => setSearch({ status: tab.status })}
        >
          {tab.label}
        </button>
      ))}
    </fieldset>
  )
}

function AlertList({ status }: { status: Alert['status'] | undefined }) {
  const zone = useZone()
  const canAcknowledge = hasRole(useMe(), 'operator')
  const { alerts: streamed } = useAlertStream()
  const pages = useAlertPages(status)
  const cameras = useCameraNames()
  const arrivals = useArrivals(streamed)
  const [paused, setPaused] = useState<Alert[] | null>(null)
  const [shown, setShown] = useState(SHOWN_AT_FIRST)

  const current = mergeAlerts(pages.data?.items ?? [], streamed, status)
  const list = paused ?? current
  const held = paused ? current.filter((alert) => !paused.some((other) => other.alert_id === alert.alert_id)).length : 0
  const more = list.length > shown || pages.hasNextPage

  const showMore = () => {
    setShown((before) => before + SHOWN_AT_FIRST)
    if (list.length <= shown + SHOWN_AT_FIRST && pages.hasNextPage) void pages.fetchNextPage()
  }

  return (
    <>
      <p className="visually-hidden" role="status">
        {arrivals}
      </p>
      <Panel
        title="Newest first"
        result={pages}
        height={300}
        isEmpty={() => list.length === 0}
        empty={<p className="empty">{status ? `No ${status} alerts.` : 'No alerts so far.'}</p>}
        actions={
          <>
            <span className="quiet">{zoneLabel(zone, Date.now())}</span>
            <button
              type="button"
              className="small"
              aria-pressed={paused !== null}
              onClick={() => setPaused(paused ? null : current)}
            >
              {paused ? `Resume${held > 0 ? ` (${formatCount(held)} new)` : ''}` : 'Pause'}
            </button>
          </>
        }
      >
        {() => (
          <>
            <ul className="alerts" aria-label="Alerts">
              {list.slice(0, shown).map((alert) => (
                <AlertItem
                  key={alert.alert_id}
                  alert={alert}
                  camera={cameras.get(alert.camera_id) ?? alert.camera_id}
                  zone={zone}
                  canAcknowledge={canAcknowledge}
                />
              ))}
            </ul>
            {more && (
              <button type="button" disabled={pages.isFetchingNextPage} onClick={showMore}>
                Show older
              </button>
            )}
          </>
        )}
      </Panel>
    </>
  )
}
