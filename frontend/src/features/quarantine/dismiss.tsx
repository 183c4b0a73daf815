import { useState } from 'react'
import type { DismissRequest } from '../../api/types'
import { formatCount, plural } from '../../lib/format'
import { Confirm } from '../../ui/dialog'
import { useDismiss, useQuarantineCount } from './queries'

interface DismissProps {
  request: DismissRequest
  count: number
  label: string
  /** the button's name where its label does not say which rows */
  name?: string
  onDone: (dismissed: number) => void
}

/** Asked about first: what was dismissed does not come back. */
function Dismiss({ request, count, label, name, onDone }: DismissProps) {
  const [asking, setAsking] = useState(false)
  const dismiss = useDismiss()
  const rows = plural(count, 'row')
  const ask = () => {
    dismiss.reset()
    setAsking(true)
  }
  const run = () => {
    dismiss.mutate(request, {
      onSuccess: (dismissed) => {
        setAsking(false)
        onDone(dismissed)
      },
    })
  }
  return (
    <>
      <button type="button" className="small" aria-label={name} disabled={count === 0} onClick={ask}>
        {label}
      </button>
      {asking && (
        <Confirm
          title={`Dismiss ${rows}?`}
          confirm={`Dismiss ${rows}`}
          busy={dismiss.isPending}
          error={dismiss.error}
          onConfirm={run}
          onClose={() => setAsking(false)}
        >
          <p>
            {count === 1 ? 'It leaves' : 'They leave'} the quarantine for good and {count === 1 ? 'is' : 'are'} not
            counted. For {count === 1 ? 'its' : 'their'} upload {count === 1 ? 'it stays' : 'they stay'} rejected.
          </p>
        </Confirm>
      )}
    </>
  )
}

export function DismissRow({ id, name, onDone }: { id: string; name: string; onDone: (dismissed: number) => void }) {
  return (
    <Dismiss request={{ quarantine_ids: [id] }} count={1} label="Dismiss" name={`Dismiss ${name}`} onDone={onDone} />
  )
}

interface DismissGroupProps {
  reason: string
  source: string
  onDone: (dismissed: number) => void
}

export function DismissGroup({ reason, source, onDone }: DismissGroupProps) {
  const count = useQuarantineCount(reason, source)
  const label = count === 1 ? 'Dismiss the row' : `Dismiss all ${formatCount(count)} rows`
  return <Dismiss request={{ reason_code: reason, source }} count={count} label={label} onDone={onDone} />
}
