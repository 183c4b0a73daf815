import { type ReactNode, useId } from 'react'
import type { Source } from '../../api/types'
import { formatAge, formatCount, formatDecimal, formatDuration, formatInstant } from '../../lib/format'
import { kindWords, secondsToRetry, standing } from '../../lib/sources'
import { useServerSecond } from '../alerts/stream'
import { useZone } from '../filters/use-view'
import { SourceActions } from './source-actions'
import { SourceBackfill, SourceErrors, SourceMissed } from './source-past'
import { SourceState } from './source-state'

/** One way by which events come in: how it is now, what it brought, what went wrong, and what can be done about it. */
export function SourceCard({ source }: { source: Source }) {
  const titleId = useId()
  const { name, kind, detail, stale, updated_at, warnings } = source
  const zone = useZone()
  return (
    <li className="source" aria-labelledby={titleId}>
      <header>
        <h3 id={titleId}>{name}</h3>
        <SourceState standing={standing(source)} />
        <span className="quiet">{kindWords(kind)}</span>
      </header>
      {stale ? (
        <p className="notice notice-warn">
          The connector has said nothing since {formatInstant(updated_at, zone, 'moment')}. What follows is what it said
          then; how the source is now, nobody knows.
        </p>
      ) : (
        detail && <p>{detail}</p>
      )}
      <Countdown source={source} />
      {warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      <Figures source={source} />
      <SourceMissed source={source} />
      <SourceBackfill last={source.last_backfill} />
      <SourceErrors errors={source.errors} />
      <SourceActions source={source} />
    </li>
  )
}

function Countdown({ source }: { source: Source }) {
  const seconds = secondsToRetry(source, useServerSecond())
  if (seconds === null) return null
  return <p className="quiet">{seconds > 0 ? `Next try in ${formatDuration(seconds)}.` : 'Trying now.'}</p>
}

function Figures({ source }: { source: Source }) {
  const { newest_event_at, lag_seconds, events_per_minute, accepted, rejected, unknown, cursor_at } = source
  return (
    <dl className="figures">
      <Figure name="Newest event">
        <Instant at={newest_event_at} age />
      </Figure>
      <Figure name="Lag" meaning="from the camera’s time to here">
        {formatDuration(lag_seconds)}
      </Figure>
      <Figure name="Events a minute">{formatDecimal(events_per_minute)}</Figure>
      <Figure name="Taken">{formatCount(accepted)}</Figure>
      <Figure name="Rejected" meaning="set aside in the quarantine, with the reason">
        {formatCount(rejected)}
      </Figure>
      <Figure name="Of unknown kind" meaning="kept in the quarantine; no fault of theirs">
        {formatCount(unknown)}
      </Figure>
      {cursor_at && (
        <Figure name="Complete to" meaning="up to here everything was fetched">
          <Instant at={cursor_at} />
        </Figure>
      )}
    </dl>
  )
}

function Figure({ name, meaning, children }: { name: string; meaning?: string; children: ReactNode }) {
  return (
    <div title={meaning}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Instant({ at, age = false }: { at: string | null; age?: boolean }) {
  const zone = useZone()
  const now = useServerSecond()
  if (at === null) return '–'
  return (
    <time dateTime={at} title={formatInstant(at, zone, 'full')}>
      {formatInstant(at, zone, 'moment')}
      {age && <span className="quiet"> {formatAge((now - Date.parse(at)) / 1000)} ago</span>}
    </time>
  )
}
