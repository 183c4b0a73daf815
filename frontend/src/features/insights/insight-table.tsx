import type { MergedInsight } from '../../api/types'
import { formatCount, formatDecimal, formatDuration, formatInstant } from '../../lib/format'
import { type Column, DataTable } from '../../ui/data-table'
import { Severity } from '../../ui/severity'

interface InsightTableProps {
  insights: readonly MergedInsight[]
  zone: string
  selected: string | undefined
}

export function InsightTable({ insights, zone, selected }: InsightTableProps) {
  const columns: Column<MergedInsight>[] = [
    {
      header: 'Started',
      cell: (insight) => (
        <time dateTime={insight.started_at} title={formatInstant(insight.started_at, zone, 'full')}>
          {formatInstant(insight.started_at, zone)}
        </time>
      ),
    },
    {
      header: 'Kind',
      cell: (insight) => (
        <>
          {insight.kind} {insight.severity && <Severity severity={insight.severity} />}
        </>
      ),
    },
    {
      header: 'Camera',
      cell: (insight) => <span title={insight.camera_id}>{insight.camera_description ?? insight.camera_id}</span>,
    },
    {
      header: 'Lasted',
      numeric: true,
      cell: (insight) => (insight.duration_seconds > 0 ? formatDuration(insight.duration_seconds) : '–'),
    },
    { header: 'People', numeric: true, cell: (insight) => formatCount(insight.people_count) },
    {
      header: 'At event',
      numeric: true,
      cell: (insight) => measured(insight, formatCount(insight.occupancy_at_event)),
    },
    { header: 'Peak', numeric: true, cell: (insight) => measured(insight, formatCount(insight.occupancy_peak)) },
    { header: 'Average', numeric: true, cell: (insight) => measured(insight, formatDecimal(insight.occupancy_avg)) },
    { header: 'Hour before', numeric: true, cell: (insight) => formatDecimal(insight.baseline_avg) },
    { header: 'Sessions', numeric: true, cell: (insight) => formatCount(insight.sessions_in_window) },
    { header: 'Person’s dwell', numeric: true, cell: (insight) => formatDuration(insight.session_dwell_seconds) },
    {
      header: 'Match',
      cell: (insight) =>
        insight.match === 'matched' ? (
          <span className="badge badge-good">matched</span>
        ) : (
          <span className="badge badge-warn" title="No session of this camera lies in the window around the event">
            no occupancy
          </span>
        ),
    },
  ]
  return (
    <DataTable
      caption={`Insights with the occupancy around them, ${zone}`}
      columns={columns}
      rows={insights}
      rowKey={(insight) => insight.insight_id}
      isSelected={(insight) => insight.insight_id === selected}
    />
  )
}

/** Where no occupancy is known, a nought would say that nobody was there. */
function measured(insight: MergedInsight, text: string): string {
  return insight.match === 'matched' ? text : '–'
}
