import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type RawSearch, readChoice } from '../lib/search'
import { shellRoute } from './shell'

export const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/overview',
  validateSearch: (raw: RawSearch): { compare?: 'previous' | undefined } => ({
    compare: readChoice(raw.compare, ['previous']),
  }),
  component: lazyRouteComponent(() => import('../features/overview/overview-page'), 'OverviewPage'),
})
