import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { Failure } from '../../ui/panel'

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = async () => {
    reset()
    await router.invalidate()
  }
  return (
    <main className="alone">
      <h1>Dwellstream</h1>
      <Failure error={error instanceof Error ? error : new Error(String(error))} retry={retry} />
    </main>
  )
}

export function NotFound() {
  return (
    <div className="alone">
      <h1>There is no such page</h1>
      <Link to="/overview" className="button">
        Go to the overview
      </Link>
    </div>
  )
}

export function RoutePending() {
  return (
    <div className="alone" aria-busy="true">
      <div className="skeleton" style={{ minHeight: 240 }} />
    </div>
  )
}
