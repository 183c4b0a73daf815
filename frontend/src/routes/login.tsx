import { createRoute } from '@tanstack/react-router'
import { LoginPage } from '../features/auth/login-page'
import { safeRedirect } from '../lib/search'
import { rootRoute } from './root'

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: (raw: { redirect?: string | undefined }): { redirect?: string | undefined } => ({
    redirect: raw.redirect,
  }),
  component: function Login() {
    return <LoginPage redirect={safeRedirect(loginRoute.useSearch().redirect)} />
  },
})
