import type { MergedInsight } from '../../api/types'
import { formatDuration, formatInstant } from '../../lib/format'
import { layOut } from '../../lib/lanes'
import type { TimeRange } from '../../lib/time-range'
import { PLOT_LEFT, PLOT_RIGHT } from '../occupancy/plot-options'

interface InsightLanesProps {
  insights: readonly MergedInsight[]
  range: TimeRange
  zone: string
  selected: string | undefined
  onSelect: (id: string) => void
}

/** The events on the time axis of the chart above. The table below says the same to those who cannot see it. */
export function InsightLanes({ insights, range, zone, selected, onSelect }: InsightLanesProps) {
  return (
    <div className="lanes" aria-hidden="true" style={{ paddingRight: PLOT_RIGHT }}>
      {layOut(insights, range).map((lane) => (
        <div key={lane.kind} className="lane">
          <span className="lane-name">{lane.kind}</span>
          <div className="lane-track" style={{ marginLeft: PLOT_LEFT }}>
            {lane.spans.map(({ event, left, width }) => (
              <button
                key={event.insight_id}
                type="button"
                tabIndex={-1}
                className={`span span-${lane.kind === 'crowd' || lane.kind === 'loitering' ? lane.kind : 'other'}`}
                data-selected={event.insight_id === selected}
                style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
                title={`${event.kind}, ${event.camera_description ?? event.camera_id}, ${formatInstant(event.started_at, zone)}, ${formatDuration(event.duration_seconds)}`}
                onClick={() => onSelect(event.insight_id)}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  )
}
