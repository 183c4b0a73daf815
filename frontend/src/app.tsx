import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createBrowserHistory, type RouterHistory, RouterProvider } from '@tanstack/react-router'
import { isSignedOut } from './api/client'
import { ApiError } from './api/problem'
import { createAlertStream, StreamContext } from './features/alerts/stream'
import { sendFile } from './features/uploads/send-file'
import { discardParts, sendResumable } from './features/uploads/send-resumable'
import { Transfers } from './features/uploads/transfers'
import { createProgressStreams, ProgressContext, refreshAll } from './features/uploads/use-progress'
import { TransfersContext } from './features/uploads/use-transfers'
import { parseSearch, readFilters } from './lib/search'
import { createAppRouter } from './router'

const RETRIES = 2

/** Everything that lives as long as the page, built once and in order. */
export function createParts(history: RouterHistory = createBrowserHistory()) {
  const onError = (error: Error) => {
    if (isSignedOut(error)) void signOut()
  }
  const queryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        // A refusal stays one, however often it is asked for; only a fault may pass.
        retry: (count, error) =>
          count < RETRIES && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      },
    },
  })
  // Read before the router takes out of the address what makes no sense.
  const { ignored } = readFilters(parseSearch(history.location.search))
  const router = createAppRouter({ queryClient, ignored }, history)
  const stream = createAlertStream(queryClient)
  const progress = createProgressStreams(queryClient)
  const transfers = new Transfers({ whole: sendFile, inParts: sendResumable, discardParts }, () =>
    refreshAll(queryClient),
  )

  async function signOut(): Promise<void> {
    const { pathname, href } = router.state.location
    if (pathname === '/login') return
    queryClient.removeQueries({ queryKey: ['me'] })
    await router.navigate({ to: '/login', search: { redirect: href } })
    queryClient.clear()
  }

  return { queryClient, router, stream, progress, transfers }
}

export function App({ parts }: { parts: ReturnType<typeof createParts> }) {
  return (
    <QueryClientProvider client={parts.queryClient}>
      <StreamContext value={parts.stream}>
        <ProgressContext value={parts.progress}>
          <TransfersContext value={parts.transfers}>
            <RouterProvider router={parts.router} />
          </TransfersContext>
        </ProgressContext>
      </StreamContext>
    </QueryClientProvider>
  )
}
