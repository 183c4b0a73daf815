/** The cards of the overview: which number stands where, how it reads, and how it is counted. */

import type { Change, Summary } from '../../api/types'
import { formatCount, formatDuration, formatInstant } from '../../lib/format'

export type Metric = Exclude<keyof Summary, 'compare' | 'range_from' | 'range_to' | 'timezone' | 'data_as_of'>

export interface Figure {
  metric: Metric
  /** what is said before and after the number */
  before?: string
  after?: string
}

export interface CardSpec {
  title: string
  formula: string
  main: Figure
  more: Figure[]
}

export const CARDS: readonly CardSpec[] = [
  {
    title: 'Visitors',
    formula: 'Different people seen in the time range. Anonymous are those that were tracked but never identified.',
    main: { metric: 'visitors' },
    more: [{ metric: 'visitors_anonymous', after: 'anonymous' }],
  },
  {
    title: 'Visits',
    formula: 'Different combinations of person, store and local day.',
    main: { metric: 'visits' },
    more: [],
  },
  {
    title: 'Sessions',
    formula:
      'Stays of one person at one camera: sightings that lie at most the session gap apart are one stay. It counts where it starts.',
    main: { metric: 'sessions' },
    more: [{ metric: 'appearances', before: 'from', after: 'sightings' }],
  },
  {
    title: 'Occupancy now',
    formula: 'Sessions that are open now. The peak is the most at once within the time range.',
    main: { metric: 'occupancy_now' },
    more: [{ metric: 'occupancy_peak', before: 'peak' }],
  },
  {
    title: 'Median dwell',
    formula:
      'A session’s dwell is its end minus its start. Half of the sessions are shorter than the median, 95 of 100 are shorter than p95.',
    main: { metric: 'dwell_median_seconds' },
    more: [
      { metric: 'dwell_p95_seconds', before: 'p95' },
      { metric: 'dwell_avg_seconds', before: 'average' },
    ],
  },
  {
    title: 'Peak hour',
    formula: 'The hour in which most sessions start.',
    main: { metric: 'peak_hour' },
    more: [],
  },
  {
    title: 'Open alerts',
    formula: 'Alerts whose rule is still broken.',
    main: { metric: 'open_alerts' },
    more: [],
  },
]

export function showMetric(metric: Metric, value: Summary[Metric], zone: string): string {
  if (value === null) return '–'
  if (typeof value === 'string') return formatInstant(value, zone)
  return metric.startsWith('dwell_') ? formatDuration(value) : formatCount(value)
}

export function changeOf(summary: Summary, metric: Metric): Change | null {
  return summary.compare?.[metric] ?? null
}
