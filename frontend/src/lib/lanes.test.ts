import { describe, expect, it } from 'vitest'
import { layOut } from './lanes'

const range = { from: Date.parse('2025-11-21T00:00:00Z'), to: Date.parse('2025-11-21T10:00:00Z') }
const event = (kind: string, iso: string, duration_seconds = 0) => ({
  insight_id: `${kind} ${iso}`,
  kind,
  started_at: iso,
  duration_seconds,
})

describe('layOut', () => {
  it('gives each kind a lane, crowds first, unknown kinds last', () => {
    const lanes = layOut(
      ['queue', 'loitering', 'crowd'].map((kind) => event(kind, '2025-11-21T01:00:00Z')),
      range,
    )
    expect(lanes.map((lane) => lane.kind)).toEqual(['crowd', 'loitering', 'queue'])
  })

  it('lays an event where its time is and cuts it at the ends of the axis', () => {
    const [lane] = layOut(
      [
        event('crowd', '2025-11-21T05:00:00Z', 3600),
        event('crowd', '2025-11-21T09:30:00Z', 7200),
        event('crowd', '2025-11-20T23:00:00Z', 7200),
      ],
      range,
    )
    expect(lane?.spans.map(({ left, width }) => [left, Number(width.toFixed(3))])).toEqual([
      [0.5, 0.1],
      [0.95, 0.05],
      [0, 0.1],
    ])
  })

  it('leaves out what lies outside', () => {
    expect(layOut([event('crowd', '2025-11-21T10:00:00Z'), event('crowd', '2025-11-20T22:00:00Z', 60)], range)).toEqual(
      [],
    )
  })
})
