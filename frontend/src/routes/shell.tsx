import { createRoute, redirect } from '@tanstack/react-router'
import { isSignedOut } from '../api/client'
import { meQuery } from '../features/auth/queries'
import { filterOptionsQuery } from '../features/filters/queries'
import { AppShell } from '../features/shell/app-shell'
import { type Filters, type RawSearch, readFilters, readList } from '../lib/search'
import { rootRoute } from './root'

interface ShellSearch extends Filters {
  /** charts that are shown as tables */
  table?: string[] | undefined
}

export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  validateSearch: (raw: RawSearch & ShellSearch): ShellSearch => ({
    ...readFilters(raw).filters,
    table: readList(raw.table),
  }),
  beforeLoad: async ({ context: { queryClient }, location }) => {
    try {
      await queryClient.ensureQueryData(meQuery)
      await queryClient.ensureQueryData(filterOptionsQuery)
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/login', search: { redirect: location.href } })
      throw error
    }
  },
  component: AppShell,
})
