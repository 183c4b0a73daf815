import { useState } from 'react'
import type { Source } from '../../api/types'
import { formatCount, formatInstant, plural } from '../../lib/format'
import { type Span, spanWords } from '../../lib/sources'
import { Icon } from '../../ui/icon'
import { hasRole, useMe } from '../auth/queries'
import { useZone } from '../filters/use-view'
import { BackfillDialog } from './backfill-dialog'

/** More of them would push everything else off the screen. */
const SHOWN = 5

/** Spans that could not be given back, the newest first: they stay in the open until somebody fetches them. */
export function SourceMissed({ source }: { source: Source }) {
  const [asked, setAsked] = useState<Span | null>(null)
  const { name, missed } = source
  if (missed.length === 0) return null
  const newest = missed.toSorted((a, b) => b.since.localeCompare(a.since))
  const earlier = newest.slice(SHOWN)
  return (
    <div className="notice notice-warn">
      <div>
        <p>
          <strong>Missing:</strong> what the cameras saw in {missed.length === 1 ? 'this span' : 'these spans'} may not
          be in the charts.
        </p>
        <Spans source={source} spans={newest.slice(0, SHOWN)} label={`Missed by ${name}`} onFetch={setAsked} />
        {earlier.length > 0 && (
          <details className="errors">
            <summary>{plural(earlier.length, 'earlier span')}</summary>
            <Spans source={source} spans={earlier} label={`Missed earlier by ${name}`} onFetch={setAsked} />
          </details>
        )}
      </div>
      {asked && <BackfillDialog name={name} span={asked} onClose={() => setAsked(null)} />}
    </div>
  )
}

interface SpansProps {
  source: Source
  spans: Source['missed']
  label: string
  onFetch: (span: Span) => void
}

function Spans({ source, spans, label, onFetch }: SpansProps) {
  const zone = useZone()
  const mayFetch = hasRole(useMe(), 'operator') && source.refillable
  return (
    <ul className="missed" aria-label={label}>
      {spans.map((span) => {
        const words = spanWords(span, zone)
        return (
          <li key={span.since}>
            <span>
              {words}: {span.reason}
            </span>
            {mayFetch && (
              <button type="button" className="small" aria-label={`Fetch ${words}`} onClick={() => onFetch(span)}>
                Fetch
              </button>
            )}
          </li>
        )
      })}
    </ul>
  )
}

/** What the span came to that somebody asked for last. */
export function SourceBackfill({ last }: { last: Source['last_backfill'] }) {
  const zone = useZone()
  if (!last) return null
  const span = spanWords(last, zone)
  const ended = (
    <time dateTime={last.finished_at} title={formatInstant(last.finished_at, zone, 'full')}>
      {formatInstant(last.finished_at, zone, 'moment')}
    </time>
  )
  return last.error === null ? (
    <p className="quiet">
      Fetched again, {span}: {plural(last.rows ?? 0, 'row')} read, {formatCount(last.accepted)} taken,{' '}
      {formatCount(last.rejected)} rejected; done at {ended}.
    </p>
  ) : (
    <p className="notice notice-bad notice-icon">
      <Icon name="close" />
      <span>
        <strong>Could not fetch {span} again:</strong> {last.error} <span className="quiet">({ended})</span>
      </span>
    </p>
  )
}

export function SourceErrors({ errors }: { errors: Source['errors'] }) {
  const zone = useZone()
  const [newest] = errors
  if (!newest) return null
  return (
    <details className="errors">
      <summary>
        {plural(errors.length, 'recent error')}, the last at {formatInstant(newest.at, zone, 'moment')}
      </summary>
      <ol>
        {errors.map(({ at, text }) => (
          <li key={`${at} ${text}`}>
            <time className="quiet" dateTime={at} title={formatInstant(at, zone, 'full')}>
              {formatInstant(at, zone, 'moment')}
            </time>{' '}
            {text}
          </li>
        ))}
      </ol>
    </details>
  )
}
