import { describe, expect, it } from 'vitest'
import { anAlert } from '../test/samples'
import { describeAlert, mergeAlerts, type StreamedAlert, severityLevel, summariseArrivals } from './alerts'

const streamed = (...alerts: StreamedAlert[]) => new Map(alerts.map((alert) => [alert.alert_id, alert]))

describe('mergeAlerts', () => {
  it('takes the greater revision of one alert, from whichever side', () => {
    const listed = [anAlert({ alert_id: 'a', revision: 3, measured: 700 }), anAlert({ alert_id: 'b', revision: 1 })]
    const live = streamed(
      anAlert({ alert_id: 'a', revision: 2, measured: 650 }),
      anAlert({ alert_id: 'b', revision: 2, measured: 900, status: 'resolved' }),
    )
    const merged = mergeAlerts(listed, live)
    expect(merged.map((alert) => [alert.alert_id, alert.revision, alert.measured])).toEqual([
      ['a', 3, 700],
      ['b', 2, 900],
    ])
  })

  it('keeps what only the list knows when the stream brings a newer revision', () => {
    const listed = anAlert({ revision: 1, camera_description: 'Checkout 1', acknowledged_by: 'rina@example.com' })
    const [alert] = mergeAlerts([listed], streamed(anAlert({ revision: 2, camera_description: null })))
    expect(alert).toMatchObject({ revision: 2, camera_description: 'Checkout 1', acknowledged_by: 'rina@example.com' })
  })

  it('lists newest first and each once', () => {
    const old = anAlert({ alert_id: 'old', event_time: '2025-11-21T09:00:00Z' })
    const recent = anAlert({ alert_id: 'new', event_time: '2025-11-21T10:00:00Z' })
    expect(mergeAlerts([old, old], streamed(recent)).map((alert) => alert.alert_id)).toEqual(['new', 'old'])
  })

  it('drops from the open ones what the stream says is resolved', () => {
    const listed = [anAlert({ alert_id: 'a', revision: 1, status: 'open' })]
    expect(mergeAlerts(listed, streamed(anAlert({ alert_id: 'a', revision: 2, status: 'resolved' })), 'open')).toEqual(
      [],
    )
  })
})

describe('what an alert says', () => {
  it.each([
    ['dwell_exceeded', 725, 600, '12 min 5 s at one place, limit 10 min'],
    ['occupancy_exceeded', 18, 12, '18 people, limit 12'],
    ['occupancy_exceeded', 1, 0, '1 person, limit 0'],
    ['camera_silent', 900, 300, 'silent for 15 min, limit 5 min'],
    ['something_new', 3.25, 2, 'measured 3.3, limit 2'],
  ])('%s', (kind, measured, threshold, words) => {
    expect(describeAlert({ kind, measured, threshold })).toBe(words)
  })

  it('sums several arrivals up in one sentence', () => {
    expect(summariseArrivals([])).toBe('')
    expect(summariseArrivals([anAlert({ severity: 'low' })])).toBe('1 new alert')
    expect(summariseArrivals([anAlert({ severity: 'high' }), anAlert({ severity: 'low' })])).toBe(
      '2 new alerts, 1 high',
    )
  })

  it('knows the three severities and no other', () => {
    expect(severityLevel('high')).toBe('high')
    expect(severityLevel('catastrophic')).toBeNull()
  })
})
