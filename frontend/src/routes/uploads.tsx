import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type RawSearch, readChoice } from '../lib/search'
import { UPLOAD_GROUPS, type UploadGroup } from '../lib/upload'
import { shellRoute } from './shell'

export const uploadsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/uploads',
  validateSearch: (raw: RawSearch): { show?: UploadGroup | undefined } => ({
    show: readChoice(raw.show, Object.keys(UPLOAD_GROUPS) as UploadGroup[]),
  }),
  component: lazyRouteComponent(() => import('../features/uploads/uploads-page'), 'UploadsPage'),
})

export const uploadRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/uploads/$uploadId',
  component: lazyRouteComponent(() => import('../features/uploads/upload-page'), 'UploadPage'),
})
