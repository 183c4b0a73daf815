import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useId } from 'react'
import { ApiError } from '../api/problem'

interface PanelProps<T> {
  title: string
  result: UseQueryResult<T>
  isEmpty?: (data: T) => boolean
  empty?: ReactNode
  actions?: ReactNode
  /** reserves the height of the content while it is not there yet, so that nothing jumps */
  height?: number
  children: (data: T) => ReactNode
}

/** One read on the screen, always in exactly one state; what was there stays until there is something newer. */
export function Panel<T>({ title, result, isEmpty, empty, actions, height, children }: PanelProps<T>) {
  const titleId = useId()
  const { data, error, isFetching, refetch } = result

  return (
    <section className="panel" aria-labelledby={titleId} aria-busy={isFetching}>
      {isFetching && data !== undefined && <div className="refreshing" />}
      <header className="panel-head">
        <h2 id={titleId}>{title}</h2>
        {actions && <div className="panel-actions">{actions}</div>}
      </header>
      {data === undefined && error === null && <div className="skeleton" style={{ minHeight: height }} />}
      {data === undefined && error !== null && <Failure error={error} retry={refetch} />}
      {data !== undefined && error !== null && <Outdated error={error} retry={refetch} />}
      {data !== undefined && (isEmpty?.(data) ? empty : children(data))}
    </section>
  )
}

interface FailureProps {
  error: Error
  retry: () => unknown
}

export function Failure({ error, retry }: FailureProps) {
  const requestId = error instanceof ApiError ? error.requestId : null
  return (
    <div className="notice notice-bad" role="alert">
      <p>
        {error.message}
        {requestId && <span className="quiet"> Request {requestId}.</span>}
      </p>
      <button type="button" onClick={retry}>
        Retry
      </button>
    </div>
  )
}

function Outdated({ error, retry }: FailureProps) {
  return (
    <div className="notice notice-warn" role="status">
      <p>Not up to date: {error.message}</p>
      <button type="button" onClick={retry}>
        Retry
      </button>
    </div>
  )
}
