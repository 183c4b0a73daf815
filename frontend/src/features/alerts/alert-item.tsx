import type { Alert } from '../../api/types'
import { useSecond } from '../../hooks/use-clock'
import { alertKind, describeAlert } from '../../lib/alerts'
import { formatAge, formatInstant } from '../../lib/format'
import { Severity } from '../../ui/severity'
import { useAcknowledge } from './queries'

interface AlertItemProps {
  alert: Alert
  camera: string
  zone: string
  canAcknowledge: boolean
}

export function AlertItem({ alert, camera, zone, canAcknowledge }: AlertItemProps) {
  return (
    <li className={`alert alert-${alert.severity}`} data-alert-id={alert.alert_id}>
      <div className="alert-main">
        <p className="alert-title">
          <Severity severity={alert.severity} /> <strong>{alertKind(alert.kind)}</strong> ·{' '}
          <span title={alert.camera_id}>{camera}</span>
        </p>
        <p className="alert-words">{describeAlert(alert)}</p>
        <p className="quiet alert-facts">
          <Moment alert={alert} zone={zone} />
          <span className={alert.status === 'open' ? 'badge badge-warn' : 'badge'}>{alert.status}</span>
          {!alert.live && <span className="badge">from history</span>}
          <span>Rule: {alert.rule_name}</span>
          {alert.subject_id && (
            <span className="id" title={alert.subject_id}>
              {alert.subject_id}
            </span>
          )}
        </p>
      </div>
      <Acknowledgement alert={alert} zone={zone} canAcknowledge={canAcknowledge} />
    </li>
  )
}

function Moment({ alert, zone }: { alert: Alert; zone: string }) {
  const now = useSecond()
  const age = (now - Date.parse(alert.event_time)) / 1000
  return (
    <time dateTime={alert.event_time} title={formatInstant(alert.event_time, zone, 'full')}>
      {formatInstant(alert.event_time, zone, age > 12 * 3600 ? 'minute' : 'seconds')} · {formatAge(age)} ago
    </time>
  )
}

function Acknowledgement({ alert, zone, canAcknowledge }: Omit<AlertItemProps, 'camera'>) {
  const acknowledge = useAcknowledge()
  if (alert.acknowledged_at) {
    return (
      <p className="quiet alert-ack">
        Acknowledged by {alert.acknowledged_by ?? 'somebody'},{' '}
        <time dateTime={alert.acknowledged_at} title={formatInstant(alert.acknowledged_at, zone, 'full')}>
          {formatInstant(alert.acknowledged_at, zone, 'time')}
        </time>
      </p>
    )
  }
  if (!canAcknowledge) return null
  return (
    <div className="alert-ack">
      <button type="button" disabled={acknowledge.isPending} onClick={() => acknowledge.mutate(alert.alert_id)}>
        {acknowledge.isPending ? 'Acknowledging…' : 'Acknowledge'}
      </button>
      {acknowledge.isError && (
        <p role="alert" className="form-error">
          Not acknowledged: {acknowledge.error.message}
        </p>
      )}
    </div>
  )
}
