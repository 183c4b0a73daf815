import { useSearch } from '@tanstack/react-router'
import type { QuarantineGroup } from '../../api/types'
import { useSetSearch } from '../../hooks/use-set-search'
import { formatCount, formatInstant, plural } from '../../lib/format'
import { SOURCES } from '../../lib/quarantine'
import { Icon } from '../../ui/icon'
import { Page } from '../../ui/page'
import { Panel } from '../../ui/panel'
import { hasRole, useMe } from '../auth/queries'
import { useZone } from '../filters/use-view'
import { GroupRows } from './group-rows'
import { useQuarantineGroups } from './queries'

export function QuarantinePage() {
  const mayRead = hasRole(useMe(), 'operator')
  return (
    <Page title="Quarantine">
      {mayRead ? <Quarantine /> : <p className="empty">Your role does not allow reading what was refused.</p>}
    </Page>
  )
}

function Quarantine() {
  const { source, reason } = useSearch({ from: '/shell/quarantine' })
  const groups = useQuarantineGroups(source)
  const opened = groups.data?.items.find((group) => group.reason_code === reason)
  return (
    <>
      <SourceFilter source={source} />
      <Panel
        title={groups.data ? titleOf(groups.data.items) : 'Refused rows'}
        result={groups}
        height={240}
        isEmpty={({ items }) => items.length === 0}
        empty={<Nothing filtered={source !== undefined} />}
      >
        {({ items }) => (
          <ul className="groups" aria-label="Reasons">
            {items.map((group) => (
              <Group key={group.reason_code} group={group} opened={group.reason_code === reason} />
            ))}
          </ul>
        )}
      </Panel>
      {/* A group whose last row was mended stays open, so that its result can be read. */}
      {reason && <GroupRows key={`${reason} ${source}`} reason={reason} source={source} words={opened?.reason} />}
    </>
  )
}

function titleOf(groups: readonly QuarantineGroup[]): string {
  const rows = groups.reduce((sum, group) => sum + group.count, 0)
  return rows === 0 ? 'Refused rows' : `${plural(rows, 'refused row')}, ${plural(groups.length, 'reason')}`
}

function Group({ group, opened }: { group: QuarantineGroup; opened: boolean }) {
  const zone = useZone()
  const setSearch = useSetSearch()
  const { reason_code, reason, suggestion, count, newest_at, sample } = group
  return (
    <li className="group" aria-label={reason}>
      <div className="group-words">
        <p>
          <strong>{formatCount(count)}</strong> × {reason} <code className="quiet">{reason_code}</code>
        </p>
        <p className="quiet">{suggestion}</p>
        <code className="raw" title="One of these rows">
          {sample.raw}
        </code>
        <p className="quiet">
          newest{' '}
          <time dateTime={newest_at} title={formatInstant(newest_at, zone, 'full')}>
            {formatInstant(newest_at, zone)}
          </time>
        </p>
      </div>
      <button
        type="button"
        aria-pressed={opened}
        aria-label={`${opened ? 'Close' : 'Open'} ${reason}`}
        onClick={() => setSearch({ reason: opened ? undefined : reason_code, cursor: undefined })}
      >
        {opened ? 'Close' : 'Open'}
      </button>
    </li>
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  const setSearch = useSetSearch()
  return (
    <div className="empty">
      <p>{filtered ? 'Nothing was refused from this source.' : 'Nothing is refused: every row was understood.'}</p>
      {filtered && (
        <button type="button" onClick={() => setSearch({ source: undefined, reason: undefined, cursor: undefined })}>
          Show all sources
        </button>
      )}
    </div>
  )
}

function SourceFilter({ source }: { source: string | undefined }) {
  const setSearch = useSetSearch()
  const choose = (prefix: string | undefined) => setSearch({ source: prefix, reason: undefined, cursor: undefined })
  const own = source !== undefined && !SOURCES.some(({ prefix }) => prefix === source)
  return (
    <div className="row source-filter">
      <fieldset className="tabs">
        <legend className="visually-hidden">From where</legend>
        {SOURCES.map(({ prefix, word }) => (
          <button key={word} type="button" aria-pressed={prefix === source} onClick={() => choose(prefix)}>
            {word}
          </button>
        ))}
      </fieldset>
      {own && (
        <span className="chip">
          <span className="cell">From {source}</span>
          <button type="button" aria-label={`Remove: from ${source}`} onClick={() => choose(undefined)}>
            <Icon name="close" />
          </button>
        </span>
      )}
    </div>
  )
}
