import { act, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { FakeServer, FakeWebSocket, ME, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { anAlert } from '../../test/samples'

const page = (...items: ReturnType<typeof anAlert>[]) => ({ items, next_cursor: null, total: items.length })

async function connected(): Promise<FakeWebSocket> {
  await waitFor(() => expect(FakeWebSocket.last?.onopen).toBeTruthy())
  const socket = FakeWebSocket.last as FakeWebSocket
  act(() => {
    socket.onopen?.()
    socket.say({ type: 'welcome', cursor: 'c', recovered: true })
  })
  return socket
}

const push = (socket: FakeWebSocket, ...items: ReturnType<typeof anAlert>[]) =>
  act(() => socket.say({ type: 'alerts', cursor: 'c', items }))

describe('the live alerts', () => {
  it('show what comes over the socket, with the camera’s name and measured against limit', async () => {
    new FakeServer().install()
    openApp('/alerts')
    const socket = await connected()
    // What came before the page was there is no news on it.
    await screen.findByRole('heading', { level: 1, name: 'Live alerts' })
    push(socket, anAlert({ alert_id: 'new', severity: 'high' }))
    const list = await screen.findByRole('list', { name: 'Alerts' })
    expect(within(list).getByRole('listitem')).toHaveAttribute('data-alert-id', 'new')
    expect(list).toHaveTextContent(/high.*Long stay.*Checkout 1.*12 min 5 s at one place, limit 10 min/)
    expect(screen.getByText('1 new alert, 1 high')).toBeInTheDocument()
  })

  it('change in place when a newer revision comes', async () => {
    new FakeServer().on('GET /alerts', page(anAlert({ alert_id: 'a' }))).install()
    openApp('/alerts')
    const list = await screen.findByRole('list', { name: 'Alerts' })
    push(await connected(), anAlert({ alert_id: 'a', revision: 2, status: 'resolved', measured: 900 }))
    await waitFor(() => expect(list).toHaveTextContent(/15 min at one place.*resolved/))
    expect(within(list).getAllByRole('listitem')).toHaveLength(1)
  })

  it('stand still while paused, and count what waits', async () => {
    new FakeServer().on('GET /alerts', page(anAlert({ alert_id: 'a' }))).install()
    const { user } = openApp('/alerts')
    const list = await screen.findByRole('list', { name: 'Alerts' })
    await user.click(screen.getByRole('button', { name: 'Pause' }))
    push(await connected(), anAlert({ alert_id: 'b' }))
    const resume = await screen.findByRole('button', { name: 'Resume (1 new)' })
    expect(within(list).getAllByRole('listitem')).toHaveLength(1)
    await user.click(resume)
    expect(within(list).getAllByRole('listitem')).toHaveLength(2)
  })

  it('are acknowledged by whoever may, and say so when that failed', async () => {
    const server = new FakeServer()
      .on('GET /alerts', page(anAlert({ alert_id: 'a' })))
      .on('POST /alerts/a/acknowledge', new Refusal(500, 'the database is away'))
      .install()
    const { user } = openApp('/alerts')
    await user.click(await screen.findByRole('button', { name: 'Acknowledge' }))
    expect(await screen.findByText('Not acknowledged: the database is away')).toBeInTheDocument()

    const acknowledged = anAlert({
      alert_id: 'a',
      acknowledged_at: '2025-11-21T10:05:00Z',
      acknowledged_by: 'rina@example.com',
    })
    server.on('POST /alerts/a/acknowledge', acknowledged).on('GET /alerts', page(acknowledged))
    await user.click(screen.getByRole('button', { name: 'Acknowledge' }))
    expect(await screen.findByText(/Acknowledged by rina@example.com/)).toHaveTextContent('17:05')
  })

  it('offer a viewer nothing to press', async () => {
    new FakeServer()
      .on('GET /auth/me', { ...ME, role: 'viewer' })
      .on('GET /alerts', page(anAlert()))
      .install()
    openApp('/alerts')
    await screen.findByRole('list', { name: 'Alerts' })
    expect(screen.queryByRole('button', { name: 'Acknowledge' })).not.toBeInTheDocument()
  })

  it('are asked for by state, which stands in the address', async () => {
    const server = new FakeServer().install()
    const { user, address } = openApp('/alerts')
    await user.click(await screen.findByRole('button', { name: 'Open' }))
    expect(address()).toBe('/alerts?status=open')
    expect(await screen.findByText('No open alerts.')).toBeInTheDocument()
    expect(
      server.queries('/alerts').some((query) => query.get('status') === 'open' && query.get('limit') === '50'),
    ).toBe(true)
  })
})
