import { createMemoryHistory } from '@tanstack/react-router'
import { act, render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { vi } from 'vitest'
import { App, createParts } from '../app'
import { FakeEventSource, FakeWebSocket } from './fake-server'

// A canvas and its measures are what this environment lacks.
vi.mock('uplot', () => ({ default: class {} }))

/** The whole dashboard at `path`, with the fake server's answers. */
export function openApp(path: string) {
  FakeWebSocket.last = null
  vi.stubGlobal('WebSocket', FakeWebSocket)
  FakeEventSource.opened = []
  vi.stubGlobal('EventSource', FakeEventSource)
  vi.stubGlobal('scrollTo', () => {})
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }))
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  )
  const parts = createParts(createMemoryHistory({ initialEntries: [path] }))
  render(<App parts={parts} />)
  return {
    user: userEvent.setup(),
    address: () => parts.router.state.location.href,
    back: () => parts.router.history.back(),
    /** as if the time to ask again had come */
    renew: () => act(() => parts.queryClient.invalidateQueries()),
  }
}
