import { Link, Outlet } from '@tanstack/react-router'
import type { Role } from '../../api/types'
import { Icon, type IconName } from '../../ui/icon'
import { FreshnessPill } from '../alerts/freshness-pill'
import { useOpenAlertCount } from '../alerts/queries'
import { useRunningStream } from '../alerts/stream'
import { hasRole, useMe } from '../auth/queries'
import { useRunningTransfers } from '../uploads/use-transfers'
import { IgnoredNote } from './ignored-note'
import { ThemeToggle } from './theme-toggle'
import { UserMenu } from './user-menu'

const PAGES = [
  { to: '/overview', label: 'Overview', icon: 'overview' },
  { to: '/alerts', label: 'Live alerts', icon: 'alerts' },
  { to: '/insights', label: 'Insights', icon: 'insights' },
  { to: '/sessions', label: 'Sessions', icon: 'sessions' },
  { to: '/sources', label: 'Sources', icon: 'sources' },
  { to: '/uploads', label: 'Uploads', icon: 'uploads' },
  { to: '/quarantine', label: 'Quarantine', icon: 'quarantine', least: 'operator' },
] as const satisfies { to: string; label: string; icon: IconName; least?: Role }[]

export function AppShell() {
  useRunningStream()
  const sending = useRunningTransfers()
  const me = useMe()
  const open = useOpenAlertCount()

  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="top-bar">
        <span className="brand">Dwellstream</span>
        <span className="spacer" />
        <FreshnessPill />
        <ThemeToggle />
        <UserMenu />
      </header>
      <nav className="nav" aria-label="Main">
        {PAGES.filter((page) => !('least' in page) || hasRole(me, page.least)).map(({ to, label, icon }) => (
          <Link key={to} to={to} search={keepFilters} activeProps={{ 'aria-current': 'page' }}>
            <Icon name={icon} />
            <span>{label}</span>
            {to === '/uploads' && sending > 0 && (
              <span className="count count-quiet" title={`${sending} on the way`}>
                {sending}
                <span className="visually-hidden"> on the way</span>
              </span>
            )}
            {to === '/alerts' && open > 0 && (
              <span className="count" title={`${open} open alerts`}>
                {open > 99 ? '99+' : open}
                <span className="visually-hidden"> open</span>
              </span>
            )}
          </Link>
        ))}
      </nav>
      <main id="content" tabIndex={-1}>
        <IgnoredNote />
        <Outlet />
      </main>
    </div>
  )
}

/** What is looked at stays the same from page to page; what belongs to one page only does not travel. */
function keepFilters<T extends object>(before: T): T {
  const own = { cursor: undefined, sel: undefined, sort: undefined, status: undefined, compare: undefined }
  return { ...before, ...own, show: undefined, source: undefined, reason: undefined }
}
