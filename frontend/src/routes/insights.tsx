import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type RawSearch, readText } from '../lib/search'
import { shellRoute } from './shell'

export const insightsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/insights',
  validateSearch: (raw: RawSearch): { cursor?: string | undefined; sel?: string | undefined } => ({
    cursor: readText(raw.cursor),
    sel: readText(raw.sel),
  }),
  component: lazyRouteComponent(() => import('../features/insights/insights-page'), 'InsightsPage'),
})
