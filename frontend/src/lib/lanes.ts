/** Insight events laid out under a time axis: a row for each kind, a span for each event. */

export interface LaneEvent {
  insight_id: string
  kind: string
  started_at: string
  duration_seconds: number
}

export interface Span<T> {
  event: T
  /** shares of the axis, 0 to 1, cut at its ends */
  left: number
  width: number
}

export interface Lane<T> {
  kind: string
  spans: Span<T>[]
}

const FIRST_KINDS = ['crowd', 'loitering']

function rank(kind: string): number {
  const index = FIRST_KINDS.indexOf(kind)
  return index === -1 ? FIRST_KINDS.length : index
}

export function layOut<T extends LaneEvent>(events: readonly T[], range: { from: number; to: number }): Lane<T>[] {
  const length = range.to - range.from
  const lanes = new Map<string, Span<T>[]>()
  for (const event of events) {
    const start = Date.parse(event.started_at)
    const end = start + event.duration_seconds * 1000
    if (end < range.from || start >= range.to) continue
    const left = Math.max(0, (start - range.from) / length)
    const right = Math.min(1, (end - range.from) / length)
    const spans = lanes.get(event.kind) ?? []
    spans.push({ event, left, width: right - left })
    lanes.set(event.kind, spans)
  }
  return [...lanes]
    .map(([kind, spans]) => ({ kind, spans }))
    .sort((a, b) => rank(a.kind) - rank(b.kind) || a.kind.localeCompare(b.kind))
}
