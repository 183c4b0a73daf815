import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type SessionSort, SORTS } from '../features/sessions/queries'
import { type RawSearch, readChoice, readText } from '../lib/search'
import { shellRoute } from './shell'

export const sessionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sessions',
  validateSearch: (raw: RawSearch): { sort?: SessionSort | undefined; cursor?: string | undefined } => ({
    sort: readChoice(raw.sort, SORTS),
    cursor: readText(raw.cursor),
  }),
  component: lazyRouteComponent(() => import('../features/sessions/sessions-page'), 'SessionsPage'),
})
