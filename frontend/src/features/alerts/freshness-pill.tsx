import { Link } from '@tanstack/react-router'
import { formatCount, formatDecimal, formatDuration, formatInstant } from '../../lib/format'
import { standing } from '../../lib/sources'
import { DataTable } from '../../ui/data-table'
import { Popover } from '../../ui/popover'
import { useZone } from '../filters/use-view'
import { useSources } from '../sources/queries'
import { SourceState } from '../sources/source-state'
import { useFreshness } from './stream'

/** One word and one number on how fresh the screen is; opened, the sources one by one. */
export function FreshnessPill() {
  const { state, word, detail } = useFreshness()
  const zone = useZone()
  const { data } = useSources()

  return (
    <Popover
      className={`pill pill-${state}`}
      name={`Data freshness: ${word} ${detail}`}
      label={
        <>
          <span className="dot" aria-hidden="true" /> {word}
          {detail && <span className="wide-only"> · {detail}</span>}
        </>
      }
    >
      <p>
        {word}
        {detail && `, ${detail}`}
      </p>
      {data && data.items.length > 0 ? (
        <DataTable
          caption="Camera sources"
          rows={data.items}
          rowKey={(source) => source.name}
          columns={[
            { header: 'Source', cell: (source) => source.name },
            { header: 'State', cell: (source) => <SourceState standing={standing(source)} /> },
            { header: 'Newest event', cell: (source) => formatInstant(source.newest_event_at, zone, 'seconds') },
            { header: 'Lag', numeric: true, cell: (source) => formatDuration(source.lag_seconds) },
            { header: 'Per minute', numeric: true, cell: (source) => formatDecimal(source.events_per_minute) },
          ]}
        />
      ) : (
        <p>No live source is connected. Uploaded files are shown as they are read.</p>
      )}
      {data && data.items.length > 0 && (
        <p>
          <Link to="/sources" search={({ tz }) => ({ tz })}>
            All about the sources
          </Link>
        </p>
      )}
      {data?.sink_lag_records ? <p>{formatCount(data.sink_lag_records)} records are still on their way.</p> : null}
    </Popover>
  )
}
