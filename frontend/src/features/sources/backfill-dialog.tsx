import { type FormEvent, useState } from 'react'
import { readSpan, type Span } from '../../lib/sources'
import { toLocalInput, zoneLabel } from '../../lib/zone'
import { Dialog } from '../../ui/dialog'
import { useServerSecond } from '../alerts/stream'
import { useZone } from '../filters/use-view'
import { useBackfill } from './queries'

const MINUTE = 60_000

interface BackfillProps {
  name: string
  /** what is known to be missing; without it the last hour is offered */
  span?: Span | undefined
  onClose: () => void
}

/** Fetches a span once more from what the cameras' system keeps; what is here already is not counted again. */
export function BackfillDialog({ name, span, onClose }: BackfillProps) {
  const zone = useZone()
  const now = useServerSecond()
  // Whole minutes around the span, since a form shows no seconds.
  const [since, setSince] = useState(() => toLocalInput(span ? Date.parse(span.since) : now - 60 * MINUTE, zone))
  const [until, setUntil] = useState(() => toLocalInput(span ? Date.parse(span.until) + MINUTE : now, zone))
  const [refused, setRefused] = useState<string | null>(null)
  const backfill = useBackfill(name)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const asked = readSpan(since, until, zone, now)
    if (typeof asked === 'string') {
      setRefused(asked)
      return
    }
    setRefused(null)
    backfill.mutate(asked)
  }

  return (
    <Dialog title={`Fetch a span again from ${name}`} onClose={onClose}>
      {backfill.isSuccess ? (
        <>
          <p role="status">
            The source was told to fetch it. The charts change as it comes in, and the source says what came of it.
          </p>
          <div className="dialog-actions">
            <button type="button" className="primary" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      ) : (
        <form className="backfill" onSubmit={submit}>
          <div className="backfill-fields">
            <label className="field">
              <span>From</span>
              <input type="datetime-local" required value={since} onChange={(event) => setSince(event.target.value)} />
            </label>
            <label className="field">
              <span>Until</span>
              <input type="datetime-local" required value={until} onChange={(event) => setUntil(event.target.value)} />
            </label>
          </div>
          <p className="quiet">{zoneLabel(zone, now)}. What is here already is not counted again.</p>
          {(refused ?? backfill.error) && (
            <p className="form-error" role="alert">
              {refused ?? backfill.error?.message}
            </p>
          )}
          <div className="dialog-actions">
            <button type="button" onClick={onClose}>
              Back
            </button>
            <button type="submit" className="primary" disabled={backfill.isPending}>
              Fetch
            </button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
