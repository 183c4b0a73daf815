import { act, screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Source } from '../../api/types'
import { FakeServer, FakeWebSocket, ME, OPTIONS, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { aSource } from '../../test/samples'

const listed = (...items: Source[]) => ({ items, sink_lag_records: 0 })

let server: FakeServer

beforeEach(() => {
  server = new FakeServer().on('GET /sources', listed(aSource())).install()
})

async function open(...items: Source[]) {
  server.on('GET /sources', listed(...items))
  const app = openApp('/sources')
  const card = (name: string) => screen.findByRole('listitem', { name })
  return { ...app, card, first: within(await card(items[0]?.name ?? '')) }
}

describe('the sources', () => {
  it('tell how each of them is and what it brought', async () => {
    const { card } = await open(
      aSource({ unknown: 4, cursor_at: '2025-11-21T09:59:00Z' }),
      aSource({ name: 'corsight:webhook', kind: 'webhook', state: 'paused', paused: true }),
    )
    const stream = await card('corsight:sse')
    expect(stream).toHaveTextContent('live')
    expect(stream).toHaveTextContent('event stream')
    expect(stream).toHaveTextContent('Connected to the event stream.')
    expect(stream).toHaveTextContent(/Newest event21 Nov, 17:00:00 .* ago/)
    expect(stream).toHaveTextContent('Lag3 s')
    expect(stream).toHaveTextContent('Events a minute120')
    expect(stream).toHaveTextContent('Taken5,000')
    expect(stream).toHaveTextContent('Rejected3')
    expect(stream).toHaveTextContent('Of unknown kind4')
    expect(stream).toHaveTextContent('Complete to21 Nov, 16:59:00')
    expect(await card('corsight:webhook')).toHaveTextContent('paused')
  })

  it('say why one of them is away, when it tries again and what happened before', async () => {
    const next_retry_at = new Date(Date.now() + 20_000).toISOString()
    const errors = [
      { at: '2025-11-21T10:00:00Z', text: 'The login was refused.' },
      { at: '2025-11-21T09:58:00Z', text: 'Nothing came for 30 s.' },
    ]
    const { user, first } = await open(
      aSource({ state: 'retrying', detail: 'The login was refused.', next_retry_at, errors }),
    )
    expect(first.getByText('trying again')).toBeInTheDocument()
    expect(first.getByText(/Next try in (19|20|21) s\./)).toBeInTheDocument()
    await user.click(first.getByText('2 recent errors, the last at 21 Nov, 17:00:00'))
    expect(first.getByText(/Nothing came for 30 s\./)).toBeInTheDocument()
  })

  it('own up to what nobody knows when the connector is silent', async () => {
    const { first } = await open(aSource({ stale: true, updated_at: '2025-11-21T09:00:00Z' }))
    expect(first.getByText('no word from it')).toBeInTheDocument()
    expect(first.queryByText('live')).not.toBeInTheDocument()
    expect(first.queryByText('Connected to the event stream.')).not.toBeInTheDocument()
    expect(first.getByText(/has said nothing since 21 Nov, 16:00:00/)).toBeInTheDocument()
  })

  it('keep warnings and what a source says as text in sight', async () => {
    const { first } = await open(aSource({ warnings: ['TLS is not checked.'], detail: '<img src=x onerror=alert(1)>' }))
    expect(first.getByText('TLS is not checked.')).toBeInTheDocument()
    expect(first.getByText('<img src=x onerror=alert(1)>')).toBeInTheDocument()
    expect(document.querySelector('img')).toBeNull()
  })

  it('say where to switch them on when there is none', async () => {
    server.on('GET /sources', listed())
    openApp('/sources')
    expect(await screen.findByText(/No camera system is connected/)).toBeInTheDocument()
    expect(screen.getByText('DWELL_CORSIGHT_SOURCES')).toBeInTheDocument()
  })

  it('are read by a viewer, and changed by an operator', async () => {
    server.on('GET /auth/me', { ...ME, role: 'viewer' })
    const missed = [{ since: '2025-11-21T09:00:00Z', until: '2025-11-21T09:10:00Z', reason: 'history was gone' }]
    const { first } = await open(aSource({ missed }))
    expect(first.getByText(/history was gone/)).toBeInTheDocument()
    expect(first.queryByRole('button')).not.toBeInTheDocument()
  })
})

describe('a source', () => {
  it('is paused and resumed', async () => {
    const { user, first } = await open(aSource())
    const paused = aSource({ state: 'paused', paused: true })
    server.on('POST /sources/corsight:sse/pause', () => {
      server.on('GET /sources', listed(paused))
      return aSource({ paused: true })
    })
    await user.click(first.getByRole('button', { name: 'Pause corsight:sse' }))
    expect(await first.findByText('paused')).toBeInTheDocument()

    server.on('POST /sources/corsight:sse/resume', new Refusal(503, 'The connector does not answer.'))
    await user.click(first.getByRole('button', { name: 'Resume corsight:sse' }))
    expect(await first.findByRole('alert')).toHaveTextContent('The connector does not answer.')
    expect(server.sent.map(({ call }) => call)).toEqual([
      'POST /sources/corsight:sse/pause',
      'POST /sources/corsight:sse/resume',
    ])
  })

  it('is tested, and says in a sentence what was found', async () => {
    const { user, first } = await open(aSource())
    server.on('POST /sources/corsight:sse/test', new Refusal(502, 'The certificate is not trusted.'))
    await user.click(first.getByRole('button', { name: 'Test corsight:sse' }))
    expect(await first.findByRole('alert')).toHaveTextContent('The certificate is not trusted.')

    server.on('POST /sources/corsight:sse/test', { ok: false, detail: 'The password is wrong.' })
    await user.click(first.getByRole('button', { name: 'Test corsight:sse' }))
    await waitFor(() => expect(first.getByRole('alert')).toHaveTextContent('Test failed: The password is wrong.'))
    expect(first.getByRole('alert')).toHaveClass('notice-bad')
    expect(first.getByRole('alert').querySelector('svg')).toBeInTheDocument()

    server.on('POST /sources/corsight:sse/test', { ok: true, detail: 'Signed in; 12 cameras.' })
    await user.click(first.getByRole('button', { name: 'Test corsight:sse' }))
    expect(await first.findByText('Test passed: Signed in; 12 cameras.')).toBeInTheDocument()
    expect(first.queryByRole('alert')).not.toBeInTheDocument()
  })

  it('fetches a span again, read in the zone of the page', async () => {
    const { user, first } = await open(aSource())
    server.on('POST /sources/corsight:sse/backfill', aSource())
    await user.click(first.getByRole('button', { name: 'Fetch a span again from corsight:sse' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Fetch a span again from corsight:sse' }))
    expect(dialog.getByText(/Asia\/Jakarta, UTC\+7/)).toBeInTheDocument()
    const [from, until] = [dialog.getByLabelText('From'), dialog.getByLabelText('Until')]
    await user.clear(from)
    await user.type(from, '2025-11-20T18:00')
    await user.clear(until)
    await user.type(until, '2025-11-20T17:00')
    await user.click(dialog.getByRole('button', { name: 'Fetch' }))
    expect(dialog.getByRole('alert')).toHaveTextContent('The end must come after the beginning.')
    expect(server.sent).toEqual([])

    await user.clear(until)
    await user.type(until, '2025-11-20T19:30')
    await user.click(dialog.getByRole('button', { name: 'Fetch' }))
    expect(await dialog.findByText(/was told to fetch it/)).toBeInTheDocument()
    expect(server.sent).toEqual([
      {
        call: 'POST /sources/corsight:sse/backfill',
        body: { since: '2025-11-20T11:00:00.000Z', until: '2025-11-20T12:30:00.000Z' },
      },
    ])
    await user.click(dialog.getByRole('button', { name: 'Close' }))
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  })

  it('that missed something offers just that', async () => {
    const missed = [
      { since: '2025-11-21T09:00:20Z', until: '2025-11-21T09:10:20Z', reason: 'the history did not go back so far' },
    ]
    const { user, first } = await open(aSource({ missed }))
    const spans = within(first.getByRole('list', { name: 'Missed by corsight:sse' }))
    expect(spans.getByText(/the history did not go back so far/)).toHaveTextContent('21 Nov, 16:00:20 – 16:10:20')
    await user.click(spans.getByRole('button', { name: 'Fetch 21 Nov, 16:00:20 – 16:10:20' }))
    expect(screen.getByLabelText('From')).toHaveValue('2025-11-21T16:00')
    expect(screen.getByLabelText('Until')).toHaveValue('2025-11-21T16:11')
    await user.click(screen.getByRole('button', { name: 'Back' }))
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  })

  it('that fetched one says what it came to', async () => {
    const last = {
      since: '2025-11-20T11:00:00Z',
      until: '2025-11-20T12:30:00Z',
      finished_at: '2025-11-21T09:00:00Z',
      rows: 1240,
      accepted: 1230,
      rejected: 10,
      error: null,
    }
    const { first } = await open(aSource({ last_backfill: last }))
    expect(first.getByText(/Fetched again/)).toHaveTextContent(
      'Fetched again, 20 Nov, 18:00:00 – 19:30:00: 1,240 rows read, 1,230 taken, 10 rejected; done at 21 Nov, 16:00:00.',
    )
  })

  it('that could not fetch one says why', async () => {
    const span = { since: '2025-11-20T11:00:00Z', until: '2025-11-20T12:30:00Z', finished_at: '2025-11-21T09:00:00Z' }
    const last = { ...span, rows: null, accepted: null, rejected: null, error: 'the history service answers 500' }
    const { first } = await open(aSource({ last_backfill: last }))
    const told = first.getByText('Could not fetch 20 Nov, 18:00:00 – 19:30:00 again:').closest('.notice')
    expect(told).toHaveTextContent('again: the history service answers 500 (21 Nov, 16:00:00)')
    expect(told).toHaveClass('notice-bad')
  })

  it('that keeps no past offers no span of it', async () => {
    const { first } = await open(aSource({ name: 'corsight:webhook', kind: 'webhook', refillable: false }))
    expect(first.getByRole('button', { name: 'Pause corsight:webhook' })).toBeInTheDocument()
    expect(first.queryByRole('button', { name: /Fetch/ })).not.toBeInTheDocument()
  })
})

describe('a pause', () => {
  it('that the connector has not come to yet is told as what it is', async () => {
    const { first } = await open(aSource({ paused: true }))
    expect(first.getByText('live')).toBeInTheDocument()
    expect(first.getByText('Pausing…')).toBeInTheDocument()
    expect(first.getByRole('button', { name: 'Resume corsight:sse' })).toBeInTheDocument()
  })
})

describe('the overview', () => {
  const banner = () => screen.findByRole('region', { name: 'Sources that are not live' })

  it('warns of a source that is not live, and leads to it', async () => {
    server.on(
      'GET /sources',
      listed(aSource(), aSource({ name: 'corsight:history', state: 'retrying', detail: 'No answer.' })),
    )
    const { user, address } = openApp('/overview')
    const warned = within(await banner())
    expect(warned.getByRole('status')).toHaveTextContent('A source is not live')
    expect(warned.getByRole('listitem')).toHaveTextContent('corsight:history: trying again – No answer.')
    await user.click(warned.getByRole('link', { name: 'Look at the sources' }))
    expect(address()).toBe('/sources')
    expect(await screen.findByRole('listitem', { name: 'corsight:history' })).toBeInTheDocument()
  })

  it('warns where there are no data yet, too', async () => {
    server
      .on('GET /filters', { ...OPTIONS, first_day: null, last_day: null })
      .on('GET /sources', listed(aSource({ stale: true })))
    openApp('/overview')
    expect(await banner()).toHaveTextContent('corsight:sse: no word from it')
  })

  it('is quiet while all are live, and where there is none', async () => {
    openApp('/overview')
    await screen.findByRole('article', { name: 'Visitors' })
    await waitFor(() => expect(server.queries('/sources')).not.toHaveLength(0))
    expect(screen.queryByRole('region', { name: 'Sources that are not live' })).not.toBeInTheDocument()
  })
})

describe('the freshness', () => {
  const connected = () => {
    act(() => {
      FakeWebSocket.last?.onopen?.()
      FakeWebSocket.last?.say({ type: 'welcome', cursor: 'c', recovered: true })
      const now = new Date().toISOString()
      const told = { server_time: now, newest_event_time: null, source_heartbeat_at: now }
      FakeWebSocket.last?.say({ type: 'heartbeat', cursor: 'c', ...told })
    })
  }
  const pill = (name: RegExp) => screen.findByLabelText(name)

  it('is live by the word of a live source, though nobody passes', async () => {
    server.on('GET /sources', listed(aSource({ newest_event_at: null, updated_at: new Date().toISOString() })))
    openApp('/sources')
    await waitFor(() => expect(FakeWebSocket.last?.onopen).toBeTruthy())
    connected()
    expect(await pill(/Data freshness: Live/)).toBeInTheDocument()
  })

  it('is not live by the word of one that only tries to be, or waits to be called', async () => {
    const told = { newest_event_at: null, updated_at: new Date().toISOString() }
    server.on(
      'GET /sources',
      listed(aSource({ state: 'retrying', ...told }), aSource({ kind: 'webhook', name: 'w', ...told })),
    )
    openApp('/sources')
    await waitFor(() => expect(FakeWebSocket.last?.onopen).toBeTruthy())
    connected()
    expect(await pill(/Data freshness: No live source/)).toBeInTheDocument()
  })
})
