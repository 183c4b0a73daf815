import { useState } from 'react'
import type { Source } from '../../api/types'
import { Icon } from '../../ui/icon'
import { hasRole, useMe } from '../auth/queries'
import { BackfillDialog } from './backfill-dialog'
import { useSourceCall, useSourceTest } from './queries'

export function SourceActions({ source }: { source: Source }) {
  const mayAct = hasRole(useMe(), 'operator')
  const { name, paused, refillable } = source
  const [filling, setFilling] = useState(false)
  const call = useSourceCall(name)
  const test = useSourceTest(name)
  if (!mayAct) return null

  const change = () => {
    test.reset()
    call.mutate(paused ? 'resume' : 'pause')
  }
  const tryOut = () => {
    call.reset()
    test.mutate()
  }
  const found = test.data
  const fault = test.error?.message ?? call.error?.message
  return (
    <>
      <div className="source-actions">
        <button
          type="button"
          disabled={call.isPending}
          aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
          onClick={change}
        >
          {paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" disabled={test.isPending} aria-label={`Test ${name}`} onClick={tryOut}>
          {test.isPending ? 'Testing…' : 'Test'}
        </button>
        {refillable && (
          <button type="button" aria-label={`Fetch a span again from ${name}`} onClick={() => setFilling(true)}>
            Fetch a span again
          </button>
        )}
        {isChanging(source) && <span className="quiet">{paused ? 'Pausing…' : 'Resuming…'}</span>}
      </div>
      <p role="status" className="said">
        {found?.ok && `Test passed: ${found.detail}`}
      </p>
      {found?.ok === false && (
        <p className="notice notice-bad notice-icon" role="alert">
          <Icon name="close" />
          <span>
            <strong>Test failed:</strong> {found.detail}
          </span>
        </p>
      )}
      {fault && (
        <p className="form-error" role="alert">
          {fault}
        </p>
      )}
      {filling && <BackfillDialog name={name} onClose={() => setFilling(false)} />}
    </>
  )
}

/** The connector follows a second after it was asked, or once it is back. */
function isChanging({ paused, state }: Source): boolean {
  return paused !== (state === 'paused')
}
