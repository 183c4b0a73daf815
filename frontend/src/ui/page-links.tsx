import { useNavigate, useRouterState } from '@tanstack/react-router'

interface PageLinksProps {
  cursor: string | undefined
  next: string | null
}

/**
 * Forward by the server's cursor, back by the cursors of the pages that led here, which the browser keeps with its
 * history entry. Whoever opens a shared address has no way back but to the first page.
 */
export function PageLinks({ cursor, next }: PageLinksProps) {
  const navigate = useNavigate()
  const trail = useRouterState({ select: (state) => state.location.state.trail }) ?? []
  const knownPage = !cursor || trail.length > 0

  const go = (target: string | undefined, pages: string[]) => {
    void navigate({
      to: '.',
      search: (before) => ({ ...before, cursor: target }),
      state: (before) => ({ ...before, trail: pages }),
    })
  }

  return (
    <nav className="pages" aria-label="Pages">
      <button type="button" disabled={!cursor} onClick={() => go(undefined, [])}>
        First
      </button>
      <button
        type="button"
        disabled={trail.length === 0}
        onClick={() => go(trail.at(-1) || undefined, trail.slice(0, -1))}
      >
        Previous
      </button>
      {knownPage && <span>Page {trail.length + 1}</span>}
      <button type="button" disabled={!next} onClick={() => next && go(next, [...trail, cursor ?? ''])}>
        Next
      </button>
    </nav>
  )
}
