import { useSearch } from '@tanstack/react-router'
import type { Session } from '../../api/types'
import { useSetSearch } from '../../hooks/use-set-search'
import { formatCount, formatDuration, formatInstant } from '../../lib/format'
import { type Column, DataTable } from '../../ui/data-table'
import { Page } from '../../ui/page'
import { PageLinks } from '../../ui/page-links'
import { Panel } from '../../ui/panel'
import { hasRole, useMe } from '../auth/queries'
import { Empty } from '../filters/empty'
import { FilterBar } from '../filters/filter-bar'
import { useView } from '../filters/use-view'
import { type SessionSort, sessionsCsvAddress, useSessions } from './queries'

function columns(zone: string): Column<Session>[] {
  return [
    {
      header: 'Started',
      sort: 'started_at',
      cell: (session) => (
        <time dateTime={session.started_at} title={formatInstant(session.started_at, zone, 'full')}>
          {formatInstant(session.started_at, zone, 'moment')}
        </time>
      ),
    },
    {
      header: 'Ended',
      sort: 'ended_at',
      cell: (session) => (
        <>
          <time dateTime={session.ended_at} title={formatInstant(session.ended_at, zone, 'full')}>
            {formatInstant(session.ended_at, zone, 'seconds')}
          </time>
          {session.open && <span className="badge badge-good">open</span>}
        </>
      ),
    },
    {
      header: 'Dwell',
      sort: 'dwell_seconds',
      numeric: true,
      cell: (session) => (
        <data value={session.dwell_seconds} title={`visible for ${formatDuration(session.visible_seconds)}`}>
          {formatDuration(session.dwell_seconds)}
        </data>
      ),
    },
    {
      header: 'Camera',
      sort: 'camera_id',
      cell: (session) => <span title={session.camera_id}>{session.camera_description ?? session.camera_id}</span>,
    },
    {
      header: 'Person',
      cell: (session) => (
        <span className="id" title={session.subject_id}>
          {session.subject_id}
        </span>
      ),
    },
    { header: 'Age group', cell: (session) => session.age_group },
    { header: 'Gender', cell: (session) => session.gender },
    { header: 'Sightings', numeric: true, cell: (session) => formatCount(session.appearance_count) },
  ]
}

export function SessionsPage() {
  const view = useView()
  const { query, zone } = view
  const { sort = '-started_at', cursor } = useSearch({ from: '/shell/sessions' })
  const setSearch = useSetSearch()
  const mayExport = hasRole(useMe(), 'analyst')
  const result = useSessions(view, sort, cursor)

  return (
    <Page title="Sessions">
      <FilterBar />
      <Panel
        title={result.data ? `${formatCount(result.data.total)} sessions` : 'Sessions'}
        result={result}
        height={600}
        isEmpty={(page) => page.items.length === 0 && !cursor}
        empty={<Empty />}
        actions={
          mayExport && (
            <a className="button" href={sessionsCsvAddress(query, sort)} download>
              Download CSV
            </a>
          )
        }
      >
        {(page) => (
          <>
            <DataTable
              caption={`Sessions, ${zone}`}
              columns={columns(zone)}
              rows={page.items}
              rowKey={(session) => session.session_id}
              sort={sort}
              onSort={(next) => setSearch({ sort: next as SessionSort, cursor: undefined })}
            />
            <PageLinks cursor={cursor} next={page.next_cursor} />
          </>
        )}
      </Panel>
    </Page>
  )
}
