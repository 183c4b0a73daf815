/** What an alert says, and how alerts from two roads, the stream and the list, become one list. */

import type { Alert } from '../api/types'
import { formatCount, formatDecimal, formatDuration, plural } from './format'

/** What the stream carries: it knows neither the camera's description nor what people did with the alert. */
export type StreamedAlert = Omit<Alert, 'camera_description' | 'acknowledged_at' | 'acknowledged_by'>

/** Of one alert the greater revision holds; the list's copy adds what the stream does not carry. */
export function mergeAlert(listed: Alert | undefined, streamed: StreamedAlert | undefined): Alert | undefined {
  if (!streamed) return listed
  if (!listed) return { ...streamed, camera_description: null, acknowledged_at: null, acknowledged_by: null }
  if (streamed.revision <= listed.revision) return listed
  const { camera_description, acknowledged_at, acknowledged_by } = listed
  return { ...streamed, camera_description, acknowledged_at, acknowledged_by }
}

/** Newest first, each alert once, only those of `status` where one is asked for. */
export function mergeAlerts(
  listed: readonly Alert[],
  streamed: ReadonlyMap<string, StreamedAlert>,
  status?: Alert['status'],
): Alert[] {
  const byId = new Map<string, Alert>()
  for (const alert of listed) {
    const before = byId.get(alert.alert_id)
    if (!before || alert.revision > before.revision) byId.set(alert.alert_id, alert)
  }
  for (const [id, alert] of streamed) {
    const merged = mergeAlert(byId.get(id), alert)
    if (merged) byId.set(id, merged)
  }
  return [...byId.values()]
    .filter((alert) => !status || alert.status === status)
    .sort((a, b) => Date.parse(b.event_time) - Date.parse(a.event_time) || a.alert_id.localeCompare(b.alert_id))
}

const KINDS: Record<string, string> = {
  dwell_exceeded: 'Long stay',
  occupancy_exceeded: 'Too many people',
  insight_reported: 'Insight reported',
  watchlist_match: 'Watch-list match',
  camera_silent: 'Camera silent',
  occupancy_anomaly: 'Unusual occupancy',
}

export function alertKind(kind: string): string {
  return KINDS[kind] ?? kind.replaceAll('_', ' ')
}

/** Spelt out, because a limit of "10 m" may be read as ten metres. */
function minutes(seconds: number): string {
  return formatDuration(seconds).replace(/ m\b/, ' min')
}

/** Measured against the limit, in words. */
export function describeAlert(alert: Pick<Alert, 'kind' | 'measured' | 'threshold'>): string {
  const { kind, measured, threshold } = alert
  switch (kind) {
    case 'dwell_exceeded':
      return `${minutes(measured)} at one place, limit ${minutes(threshold)}`
    case 'occupancy_exceeded':
      return `${plural(measured, 'person', 'people')}, limit ${formatCount(threshold)}`
    case 'camera_silent':
      return `silent for ${minutes(measured)}, limit ${minutes(threshold)}`
    default:
      return `measured ${formatDecimal(measured)}, limit ${formatDecimal(threshold)}`
  }
}

export type SeverityLevel = 'low' | 'medium' | 'high'

export function severityLevel(severity: string | null): SeverityLevel | null {
  return severity === 'low' || severity === 'medium' || severity === 'high' ? severity : null
}

/** One sentence for several arrivals: a list that speaks each of its items would never be silent. */
export function summariseArrivals(arrived: readonly StreamedAlert[]): string {
  if (arrived.length === 0) return ''
  const high = arrived.filter((alert) => alert.severity === 'high').length
  return `${plural(arrived.length, 'new alert')}${high > 0 ? `, ${high} high` : ''}`
}
