import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { shellRoute } from './shell'

export const uploadsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/uploads',
  component: lazyRouteComponent(() => import('../features/uploads/uploads-page'), 'UploadsPage'),
})
