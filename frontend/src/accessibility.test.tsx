import { screen } from '@testing-library/react'
import axe from 'axe-core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeServer } from './test/fake-server'
import { openApp } from './test/open-app'
import { anAlert, anUpload, aQuarantineGroup, aQuarantineItem, aSource } from './test/samples'

// These need colours and drawn text, which this environment lacks.
const UNSEEN = { 'color-contrast': { enabled: false }, 'label-content-name-mismatch': { enabled: false } }

async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document, { rules: UNSEEN })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

const held = anUpload({ status: 'needs_decision', phase: 'parsing' })
const moving = anUpload({ upload_id: 'up-2', status: 'processing', phase: 'parsing' })

const away = aSource({
  name: 'corsight:history',
  kind: 'history',
  state: 'retrying',
  detail: 'No answer.',
  next_retry_at: '2099-01-01T00:00:00Z',
  errors: [{ at: '2025-11-21T10:00:00Z', text: 'No answer.' }],
  missed: [{ since: '2025-11-21T09:00:00Z', until: '2025-11-21T09:10:00Z', reason: 'too long ago' }],
  warnings: ['TLS is not checked.'],
})
const silent = aSource({ name: 'corsight:webhook', kind: 'webhook', stale: true })

describe('no page bars anybody', () => {
  beforeEach(() => {
    localStorage.clear()
    // Four hundred options in each choice of a zone would take most of the time.
    vi.spyOn(Intl, 'supportedValuesOf').mockReturnValue(['Asia/Jakarta', 'Europe/Berlin'])
    document.documentElement.lang = 'en'
    new FakeServer()
      .on('GET /alerts', { items: [anAlert()], next_cursor: null, total: 1 })
      .on('GET /uploads', { items: [held, moving], next_cursor: null })
      .on('GET /uploads/up-1', held)
      .on('GET /uploads/up-2', moving)
      .on('GET /sources', { items: [aSource(), away, silent], sink_lag_records: 0 })
      .on('GET /quarantine/groups', { items: [aQuarantineGroup()] })
      .on('GET /quarantine', { items: [aQuarantineItem()], next_cursor: 'c', total: 7, by_reason: {} })
      .install()
  })

  it.each([
    '/overview',
    '/alerts',
    '/sessions',
    '/sources',
    '/uploads',
    '/uploads/up-1',
    '/uploads/up-2',
    '/uploads/none',
    '/quarantine',
  ])('%s', async (path) => {
    openApp(path)
    await screen.findByRole('heading', { level: 1 })
    expect(await violations()).toEqual([])
  })

  it('a preview', async () => {
    const { user } = openApp('/uploads')
    await user.upload(await screen.findByLabelText('Choose files'), new File(['a'], 'day.csv'))
    await screen.findByRole('heading', { name: /as they will be read/ })
    expect(await violations()).toEqual([])
  })

  it('a span to fetch again', async () => {
    const { user } = openApp('/sources')
    await user.click(await screen.findByRole('button', { name: 'Fetch a span again from corsight:sse' }))
    await screen.findByRole('dialog')
    expect(await violations()).toEqual([])
  })

  it('a decision', async () => {
    const { user } = openApp('/uploads/up-1')
    await user.click(await screen.findByRole('button', { name: 'Decide' }))
    await screen.findByText('person-7,cam-05,noon,10:04')
    expect(await violations()).toEqual([])
  })

  it('a row and a group being mended', async () => {
    const { user } = openApp('/quarantine?reason=bad_timestamp')
    await user.click(await screen.findByRole('button', { name: 'Edit line 17' }))
    await user.click(screen.getByText('Fix all 7 rows at once'))
    expect(await violations()).toEqual([])
    await user.type(screen.getByLabelText('Field'), 'x')
    await user.click(screen.getByRole('button', { name: 'Fix and run again' }))
    expect(await violations()).toEqual([])
  })
})
