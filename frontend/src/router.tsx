import { createRouter, type RouterHistory } from '@tanstack/react-router'
import { NotFound, RouteError, RoutePending } from './features/shell/fallbacks'
import { parseSearch, stringifySearch } from './lib/search'
import { alertsRoute } from './routes/alerts'
import { homeRoute } from './routes/home'
import { insightsRoute } from './routes/insights'
import { loginRoute } from './routes/login'
import { overviewRoute } from './routes/overview'
import { quarantineRoute } from './routes/quarantine'
import { type RouterContext, rootRoute } from './routes/root'
import { sessionsRoute } from './routes/sessions'
import { shellRoute } from './routes/shell'
import { sourcesRoute } from './routes/sources'
import { uploadRoute, uploadsRoute } from './routes/uploads'

const routeTree = rootRoute.addChildren([
  loginRoute,
  shellRoute.addChildren([
    homeRoute,
    overviewRoute,
    alertsRoute,
    insightsRoute,
    sessionsRoute,
    sourcesRoute,
    uploadsRoute,
    uploadRoute,
    quarantineRoute,
  ]),
])

export function createAppRouter(context: RouterContext, history: RouterHistory) {
  return createRouter({
    routeTree,
    context,
    history,
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    defaultPendingComponent: RoutePending,
    scrollRestoration: true,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
  interface HistoryState {
    /** cursors of the pages of a list that led to this one; '' is its first page */
    trail?: string[]
  }
}
