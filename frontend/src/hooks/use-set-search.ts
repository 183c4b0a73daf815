import { useNavigate } from '@tanstack/react-router'
import type { Alert } from '../api/types'
import type { SessionSort } from '../features/sessions/queries'
import type { Filters } from '../lib/search'
import type { UploadGroup } from '../lib/upload'

/** All that any page keeps in its address; `undefined` takes a key out. */
interface Search extends Filters {
  table?: string[] | undefined
  compare?: 'previous' | undefined
  sort?: SessionSort | undefined
  status?: Alert['status'] | undefined
  cursor?: string | undefined
  sel?: string | undefined
  show?: UploadGroup | undefined
  source?: string | undefined
  reason?: string | undefined
}

/** Changes part of the address of the page one is on, and leaves the page where it is scrolled to. */
export function useSetSearch(): (change: Search) => void {
  const navigate = useNavigate()
  return (change) => {
    void navigate({ to: '.', search: (before) => ({ ...before, ...change }), resetScroll: false })
  }
}
