import { screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../api/types'
import { FakeServer, ME } from '../../test/fake-server'
import { openApp } from '../../test/open-app'

function aSession(change: Partial<Session> = {}): Session {
  return {
    session_id: 's1',
    camera_id: 'cam-05',
    camera_description: 'Checkout 1',
    subject_id: 'person-1',
    started_at: '2025-11-21T10:00:00Z',
    ended_at: '2025-11-21T10:04:12Z',
    dwell_seconds: 252,
    visible_seconds: 200,
    appearance_count: 2,
    age_group: '18-25',
    gender: 'other',
    open: false,
    ...change,
  }
}

describe('the sessions', () => {
  it('show dwell in words, the site’s time, and which are open', async () => {
    const items = [aSession(), aSession({ session_id: 's2', open: true })]
    new FakeServer().on('GET /sessions', { items, next_cursor: null, total: 12_345 }).install()
    openApp('/sessions')
    expect(await screen.findByRole('heading', { name: '12,345 sessions' })).toBeInTheDocument()
    const [, closed, open] = within(screen.getByRole('table', { name: /Sessions/ })).getAllByRole('row')
    expect(closed).toHaveTextContent(/21 Nov, 17:00:00.*17:04:12.*4 m 12 s.*Checkout 1.*person-1/)
    expect(closed).not.toHaveTextContent('open')
    expect(open).toHaveTextContent('open')
  })

  it('are sorted and paged by the server, and page back the way one came', async () => {
    const server = new FakeServer()
      .on('GET /sessions', (url: URL) => {
        const cursor = url.searchParams.get('cursor')
        return {
          items: [aSession({ session_id: cursor ?? 'first', subject_id: `on page ${cursor ?? '1'}` })],
          next_cursor: String(Number(cursor ?? 1) + 1),
          total: 99,
        }
      })
      .install()
    const { user, address } = openApp('/sessions')
    await user.click(await screen.findByRole('button', { name: /^Dwell/ }))
    expect(screen.getByRole('columnheader', { name: /^Dwell/ })).toHaveAttribute('aria-sort', 'descending')
    await waitFor(() => expect(server.queries('/sessions').at(-1)?.get('sort')).toBe('-dwell_seconds'))

    await user.click(screen.getByRole('button', { name: 'Next' }))
    await screen.findByText('on page 2')
    await user.click(screen.getByRole('button', { name: 'Next' }))
    await screen.findByText('on page 3')
    expect(screen.getByText('Page 3')).toBeInTheDocument()
    expect(address()).toBe('/sessions?sort=-dwell_seconds&cursor=3')

    await user.click(screen.getByRole('button', { name: 'Previous' }))
    await screen.findByText('on page 2')
    await user.click(screen.getByRole('button', { name: /^Dwell/ }))
    expect(address()).toBe('/sessions?sort=dwell_seconds')
  })

  it('are exported as filtered, by those who may', async () => {
    new FakeServer().on('GET /sessions', { items: [aSession()], next_cursor: null, total: 1 }).install()
    openApp('/sessions?camera_id=cam-05&min_dwell=60&sort=-dwell_seconds&range=yesterday')
    const link = await screen.findByRole('link', { name: 'Download CSV' })
    const query = new URL(link.getAttribute('href') ?? '', 'http://x').searchParams
    expect(Object.fromEntries(query)).toMatchObject({
      camera_id: 'cam-05',
      min_dwell: '60',
      sort: '-dwell_seconds',
      tz: 'Asia/Jakarta',
    })
  })

  it('are not exported by a viewer', async () => {
    new FakeServer()
      .on('GET /auth/me', { ...ME, role: 'viewer' })
      .on('GET /sessions', { items: [aSession()], next_cursor: null, total: 1 })
      .install()
    openApp('/sessions')
    await screen.findByText('person-1')
    expect(screen.queryByRole('link', { name: 'Download CSV' })).not.toBeInTheDocument()
  })
})
