import type { Alert, QuarantineGroup, QuarantineItem, Source, Summary, Upload, UploadPreview } from '../api/types'

export function anAlert(change: Partial<Alert> = {}): Alert {
  return {
    alert_id: 'alert-1',
    kind: 'dwell_exceeded',
    severity: 'medium',
    camera_id: 'cam-05',
    camera_description: 'Checkout 1',
    subject_id: 'person-0042',
    session_id: null,
    event_time: '2025-11-21T10:00:00Z',
    ended_at: null,
    measured: 725,
    threshold: 600,
    rule_id: 'rule-1',
    rule_name: 'Long stay',
    rule_version: 1,
    status: 'open',
    live: true,
    revision: 1,
    acknowledged_at: null,
    acknowledged_by: null,
    ...change,
  }
}

export function aSummary(change: Partial<Summary> = {}): Summary {
  return {
    visitors: 1203,
    visitors_anonymous: 171,
    visits: 1288,
    sessions: 3903,
    appearances: 5000,
    dwell_avg_seconds: 141.7,
    dwell_median_seconds: 75.25,
    dwell_p95_seconds: 520.4,
    dwell_max_seconds: 1900,
    occupancy_now: 12,
    occupancy_peak: 48,
    peak_hour: '2025-11-20T10:00:00Z',
    repeat_visitors: 3,
    waiting_violations: 2,
    open_alerts: 4,
    data_as_of: '2025-11-21T10:00:00Z',
    range_from: '2025-11-19T10:00:00Z',
    range_to: '2025-11-21T10:00:00Z',
    timezone: 'Asia/Jakarta',
    compare: null,
    ...change,
  }
}

export function anUpload(change: Partial<Upload> = {}): Upload {
  return {
    upload_id: 'up-1',
    file_name: 'day.csv',
    kind: 'appearances',
    status: 'completed',
    phase: 'done',
    withdrawing: false,
    sha256: 'ab'.repeat(32),
    timezone: 'UTC',
    rows_total: 5012,
    rows_accepted: 5000,
    rows_rejected: 12,
    rows_waiting: 0,
    rejects_by_reason: { bad_timestamp: 7, negative_dwell: 5 },
    reject_share: 12 / 5012,
    bytes_done: 500_000,
    bytes_total: 500_000,
    created_at: '2025-11-21T10:00:00Z',
    completed_at: '2025-11-21T10:00:02Z',
    uploaded_by: 'admin@example.com',
    error: null,
    warnings: [],
    summary: null,
    duplicate: false,
    ...change,
  }
}

export function processing(change: Partial<Upload> = {}): Upload {
  return anUpload({ status: 'processing', phase: 'parsing', bytes_done: 25, bytes_total: 100, ...change })
}

export function aPreview(change: Partial<UploadPreview> = {}): UploadPreview {
  return {
    kind: 'appearances',
    format: 'csv',
    gzipped: false,
    encoding: 'utf-8',
    delimiter: ';',
    columns: [
      { position: 1, header: 'person_id', field: 'person_id', confidence: 1, how: 'exact' },
      { position: 2, header: 'utc_time_st', field: 'utc_time_started', confidence: 0.7, how: 'truncated' },
      { position: 3, header: 'shoe_size', field: null, confidence: 0, how: 'extra' },
      { position: 4, header: 'face_crop_img', field: null, confidence: 1, how: 'image' },
    ],
    missing: [],
    refusal: null,
    rows: [
      {
        line: 2,
        reason_code: null,
        reason: null,
        item: {
          subject_id: 'person-7',
          camera_id: 'cam-05',
          started_at: '2025-11-21T10:00:00Z',
          ended_at: '2025-11-21T10:04:12Z',
        },
      },
      { line: 3, reason_code: 'bad_timestamp', reason: 'noon is no time', item: null },
    ],
    zone_matters: false,
    warnings: ['The ids are cut.'],
    ...change,
  }
}

export function aSource(change: Partial<Source> = {}): Source {
  return {
    name: 'corsight:sse',
    kind: 'sse',
    refillable: true,
    state: 'live',
    detail: 'Connected to the event stream.',
    newest_event_at: '2025-11-21T10:00:00Z',
    lag_seconds: 2.5,
    events_per_minute: 120,
    accepted: 5000,
    rejected: 3,
    unknown: 0,
    errors: [],
    next_retry_at: null,
    cursor_at: null,
    missed: [],
    last_backfill: null,
    warnings: [],
    paused: false,
    updated_at: '2025-11-21T10:00:01Z',
    stale: false,
    ...change,
  }
}

export function aQuarantineItem(change: Partial<QuarantineItem> = {}): QuarantineItem {
  return {
    quarantine_id: 'q-1',
    camera_id: 'cam-05',
    source: 'upload:up-1#17',
    reason_code: 'bad_timestamp',
    reason: 'noon is no time',
    quarantined_at: '2025-11-21T10:00:00Z',
    raw: 'person-7,cam-05,noon,10:04',
    ...change,
  }
}

export function aQuarantineGroup(change: Partial<QuarantineGroup> = {}): QuarantineGroup {
  return {
    reason_code: 'bad_timestamp',
    reason: 'a time that cannot be read',
    suggestion: 'Write times as 2025-11-21T10:00:00Z.',
    count: 7,
    newest_at: '2025-11-21T10:00:00Z',
    sample: { quarantine_id: 'q-1', raw: 'person-7,cam-05,noon,10:04' },
    ...change,
  }
}
