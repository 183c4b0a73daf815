import { screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { FakeServer, OPTIONS, Refusal } from './test/fake-server'
import { openApp } from './test/open-app'
import { aSummary } from './test/samples'

const histogram = {
  bins: [{ from_seconds: 0, to_seconds: null, sessions: 3 }],
  sessions: 3,
  dwell_median_seconds: 5,
  dwell_p95_seconds: 9,
}

describe('signing in', () => {
  it('comes first, says the same of every refusal, and leads back to what was asked for', async () => {
    let signedIn = false
    new FakeServer()
      .on('GET /auth/me', () => (signedIn ? { user_id: 'u', email: 'a@b.c', role: 'viewer' } : new Refusal(401, 'no')))
      .on('POST /auth/login', () => {
        if (signedIn) return {}
        signedIn = true
        return new Refusal(401, 'unknown user a@b.c')
      })
      .install()
    const { user, address } = openApp('/sessions?range=7d')

    await user.type(await screen.findByLabelText('Email'), 'a@b.c')
    await user.type(screen.getByLabelText('Password'), 'secret')
    await user.click(screen.getByRole('button', { name: 'Sign in' }))
    expect(await screen.findByText('Email or password is wrong.')).toBeInTheDocument()

    await user.click(screen.getByRole('button', { name: 'Sign in' }))
    expect(await screen.findByRole('heading', { level: 1, name: 'Sessions' })).toBeInTheDocument()
    expect(address()).toBe('/sessions?range=7d')
  })

  it('is asked for again when the session ends while one works', async () => {
    const server = new FakeServer().install()
    const { user, address } = openApp('/overview')
    await screen.findByRole('article', { name: 'Visitors' })
    server.on('GET /analytics/summary', new Refusal(401, 'expired')).on('GET /auth/me', new Refusal(401, 'expired'))
    await user.selectOptions(screen.getByLabelText('Time range'), '7d')
    expect(await screen.findByLabelText('Password')).toBeInTheDocument()
    expect(address()).toBe('/login?redirect=%2Foverview%3Frange%3D7d')
  })
})

describe('the overview', () => {
  it('keeps every filter in the address, asks the server for exactly that, and goes back', async () => {
    const server = new FakeServer().install()
    const { user, address, back } = openApp('/overview')
    await screen.findByRole('article', { name: 'Visitors' })

    await user.click(screen.getByRole('checkbox', { name: 'Checkout 1' }))
    await user.click(screen.getByRole('checkbox', { name: 'female' }))
    await user.selectOptions(screen.getByLabelText('Time range'), 'yesterday')
    expect(address()).toBe('/overview?camera_id=cam-05&gender=female&range=yesterday')

    await waitFor(() => {
      const query = server.queries('/analytics/summary').at(-1)
      expect(query?.getAll('camera_id')).toEqual(['cam-05'])
      expect(query?.getAll('gender')).toEqual(['female'])
      expect(query?.get('tz')).toBe('Asia/Jakarta')
      expect(query?.get('from')).toMatch(/T17:00:00.000Z$/)
    })

    back()
    await waitFor(() => expect(screen.getByLabelText('Time range')).toHaveValue('48h'))
    await user.click(screen.getByRole('button', { name: 'Remove Camera: Checkout 1' }))
    expect(address()).toBe('/overview?gender=female')
    const chips = screen.getByRole('list', { name: 'Active filters' })
    await user.click(within(chips).getByRole('button', { name: 'Clear filters' }))
    expect(address()).toBe('/overview')
  })

  it('says what of an address made no sense', async () => {
    new FakeServer().install()
    openApp('/overview?range=fortnight&tz=Mars')
    expect(await screen.findByText(/left out: range, tz/)).toBeInTheDocument()
    expect(await screen.findByLabelText('Time range')).toHaveValue('48h')
  })

  it('shows a failure in the panel that it befell, and nowhere else', async () => {
    const server = new FakeServer()
      .on('GET /analytics/summary', new Refusal(422, 'the range is too long'))
      .on('GET /analytics/dwell/histogram', histogram)
      .install()
    const { user } = openApp('/overview')
    const cards = await screen.findByRole('region', { name: 'Key figures' })
    expect(await within(cards).findByRole('alert')).toHaveTextContent('the range is too long')
    expect(await screen.findByRole('img', { name: /Distribution of dwell. 3 sessions/ })).toBeInTheDocument()

    server.on('GET /analytics/summary', aSummary())
    await user.click(within(cards).getByRole('button', { name: 'Retry' }))
    expect(await screen.findByRole('article', { name: 'Visitors' })).toBeInTheDocument()
  })

  it('keeps the last answer where a newer one fails, and says so', async () => {
    const server = new FakeServer().install()
    const { renew } = openApp('/overview')
    await screen.findByRole('article', { name: 'Visitors' })
    server.on('GET /analytics/summary', new Refusal(422, 'the database is away'))
    await renew()
    expect(await screen.findByText('Not up to date: the database is away')).toBeInTheDocument()
    expect(screen.getByRole('article', { name: 'Visitors' })).toHaveTextContent('1,203')
  })

  it('leads to the upload where there never were data, and out of the filters where there are some', async () => {
    new FakeServer().on('GET /filters', { ...OPTIONS, cameras: [], first_day: null, last_day: null }).install()
    openApp('/overview')
    expect(await screen.findByRole('link', { name: 'Upload a file' })).toBeInTheDocument()
  })

  it('offers the days that have data where the chosen ones have none', async () => {
    new FakeServer().install()
    const { user, address } = openApp('/overview?gender=male')
    const [showAll] = await screen.findAllByRole('button', { name: 'Show all days: 20 Nov 2025 – 21 Nov 2025' })
    expect(screen.getAllByText('Nothing in this time range with these filters.')).not.toHaveLength(0)
    await user.click(showAll as HTMLElement)
    expect(decodeURIComponent(address())).toContain('from=2025-11-19T17:00:00.000Z&to=2025-11-21T17:00:00.000Z')
  })

  it('shows the same numbers as a table', async () => {
    new FakeServer().on('GET /analytics/dwell/histogram', histogram).install()
    const { user, address } = openApp('/overview')
    const panel = await screen.findByRole('region', { name: 'Dwell' })
    await user.click(within(panel).getByRole('button', { name: 'Show as table' }))
    expect(within(panel).getByRole('row', { name: '0 s and longer 3 100%' })).toBeInTheDocument()
    expect(address()).toBe('/overview?table=dwell')
  })
})
