import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import type { Alert } from '../api/types'
import { type RawSearch, readChoice } from '../lib/search'
import { shellRoute } from './shell'

export const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts',
  validateSearch: (raw: RawSearch): { status?: Alert['status'] | undefined } => ({
    status: readChoice(raw.status, ['open', 'resolved']),
  }),
  component: lazyRouteComponent(() => import('../features/alerts/alerts-page'), 'AlertsPage'),
})
