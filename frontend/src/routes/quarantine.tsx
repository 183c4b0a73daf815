import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type RawSearch, readText } from '../lib/search'
import { shellRoute } from './shell'

interface QuarantineSearch {
  /** prefix of the sources shown */
  source?: string | undefined
  /** the group that is open */
  reason?: string | undefined
  cursor?: string | undefined
}

export const quarantineRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/quarantine',
  validateSearch: (raw: RawSearch): QuarantineSearch => ({
    source: readText(raw.source),
    reason: readText(raw.reason),
    cursor: readText(raw.cursor),
  }),
  component: lazyRouteComponent(() => import('../features/quarantine/quarantine-page'), 'QuarantinePage'),
})
