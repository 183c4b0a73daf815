import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext } from '@tanstack/react-router'

export interface RouterContext {
  queryClient: QueryClient
  /** search parameters of the address one came with that made no sense */
  ignored: string[]
}

export const rootRoute = createRootRouteWithContext<RouterContext>()()
