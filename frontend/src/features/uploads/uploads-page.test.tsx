import { act, screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Upload } from '../../api/types'
import { drop, file, large } from '../../test/drop-files'
import { FakeEventSource, FakeServer, ME, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { anUpload, processing } from '../../test/samples'
import { sendFile } from './send-file'
import { findUnfinished, forgetUnfinished, isPartOf, sendResumable } from './send-resumable'

vi.mock('./send-file')
vi.mock('./send-resumable')

const page = (...items: Upload[]) => ({ items, next_cursor: null })

let server: FakeServer

beforeEach(() => {
  vi.resetAllMocks()
  localStorage.clear()
  localStorage.setItem('dwell-zone', 'UTC')
  server = new FakeServer().install()
  vi.mocked(findUnfinished).mockResolvedValue([])
  vi.mocked(forgetUnfinished).mockResolvedValue()
})

/** Without the preview, as somebody practised does. */
async function send(answer: Upload, ...files: File[]) {
  localStorage.setItem('dwell-preview', 'off')
  vi.mocked(sendFile).mockResolvedValue(answer)
  return drop(...files)
}

async function follow(change: Partial<Upload> = {}) {
  server.on('GET /uploads/up-1', processing())
  const dropped = await send(anUpload({ status: 'received', phase: 'receiving', ...change }), file('big.csv'))
  await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1))
  const [source] = FakeEventSource.opened as [FakeEventSource]
  return { ...dropped, source, say: (upload: Upload) => act(() => source.say(upload)) }
}

describe('uploading', () => {
  it('refuses what is no data file, says why, and sends nothing', async () => {
    const { list } = await send(anUpload(), file('setup.exe'))
    expect(list.getByRole('alert')).toHaveTextContent('Not sent: Not a CSV or JSON file')
    expect(sendFile).not.toHaveBeenCalled()
  })

  it('refuses what is larger than the server takes', async () => {
    server.on('OPTIONS /tus', new Response(null, { status: 204, headers: { 'Tus-Max-Size': '5000000' } }))
    const { user } = openApp('/uploads')
    expect(await screen.findByText(/up to 5 MB\./)).toBeInTheDocument()
    await user.upload(screen.getByLabelText('Choose files'), large('day.csv'))
    expect(await screen.findByText(/6 MB is more than the limit of 5 MB\./)).toBeInTheDocument()
    expect(server.sent).toEqual([])
  })

  it('ends with what went in, what did not and why, and the file of the rejects', async () => {
    const { list } = await send(anUpload(), file('day.csv'))
    expect(await list.findByText('5,000 rows in, 12 rejected (0.2%)')).toBeInTheDocument()
    expect(list.getByText(/7 rows: a time that cannot be read/)).toBeInTheDocument()
    expect(list.getByRole('link', { name: 'Download rejects' })).toHaveAttribute(
      'href',
      '/api/v1/uploads/up-1/rejects.csv',
    )
    expect(list.getByRole('link', { name: 'Review and fix' })).toHaveAttribute(
      'href',
      '/quarantine?source=upload%3Aup-1%23',
    )
  })

  it('says when the same bytes were there before', async () => {
    const { list } = await send(anUpload({ duplicate: true }), file('day.csv'))
    expect(await list.findByText(/These very bytes were uploaded before/)).toBeInTheDocument()
  })

  it('sends the zone that was chosen for times without one', async () => {
    localStorage.setItem('dwell-preview', 'off')
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user } = openApp('/uploads')
    await user.selectOptions(await screen.findByLabelText('Zone of times that name none'), 'Asia/Jakarta')
    expect(screen.getByText(/10:00 in the file is 03:00 UTC/)).toBeInTheDocument()
    expect(localStorage.getItem('dwell-zone')).toBe('Asia/Jakarta')
    await user.upload(screen.getByLabelText('Choose files'), file('day.csv'))
    await waitFor(() => expect(sendFile).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' })))
  })

  it('is nothing that a viewer is offered', async () => {
    server.on('GET /auth/me', { ...ME, role: 'viewer' }).on('GET /uploads', page(anUpload({ status: 'failed' })))
    const { user } = openApp('/uploads')
    await user.click(await screen.findByRole('link', { name: 'day.csv' }))
    expect(screen.queryByLabelText('Choose files')).not.toBeInTheDocument()
    server.on('GET /uploads/up-1', anUpload({ status: 'failed' }))
    await screen.findByRole('heading', { name: 'What became of it' })
    expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument()
  })

  it('shows a viewer how many rows were rejected and why, and the rows to operators alone', async () => {
    server.on('GET /auth/me', { ...ME, role: 'viewer' }).on('GET /uploads', page(anUpload()))
    server.on('GET /uploads/up-1', anUpload())
    const { user } = openApp('/uploads')
    expect(await screen.findByRole('cell', { name: '12' })).toBeInTheDocument()
    await user.click(screen.getByRole('link', { name: 'day.csv' }))
    expect(await screen.findByText(/7 rows: a time that cannot be read/)).toBeInTheDocument()
    expect(screen.queryByRole('link', { name: /rejects/ })).not.toBeInTheDocument()
  })
})

describe('a large file', () => {
  it('can be paused and resumed', async () => {
    localStorage.setItem('dwell-preview', 'off')
    vi.mocked(sendResumable).mockImplementation(({ signal, onProgress }) => {
      onProgress(3_000_000, 6_000_000)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    })
    const { user, list } = await drop(large('big.csv'))
    expect(await list.findByText(/3 MB of 6 MB/)).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'Uploads 1 on the way' })).toBeInTheDocument()
    expect(list.getByRole('progressbar', { name: 'Receiving' })).toHaveValue(0.5)
    await user.click(list.getByRole('button', { name: 'Pause' }))
    expect(await list.findByText('Paused. What has arrived is kept.')).toBeInTheDocument()
    vi.mocked(sendResumable).mockResolvedValue(anUpload())
    await user.click(list.getByRole('button', { name: 'Resume' }))
    expect(await list.findByText(/5,000 rows in/)).toBeInTheDocument()
  })

  it('says that it waits for the network, and goes on with it', async () => {
    localStorage.setItem('dwell-preview', 'off')
    vi.mocked(sendResumable).mockRejectedValueOnce(new TypeError('network')).mockResolvedValue(anUpload())
    const { list } = await drop(large('big.csv'))
    expect(await list.findByText(/Paused – no connection. It resumes by itself/)).toBeInTheDocument()
    act(() => void window.dispatchEvent(new Event('online')))
    expect(await list.findByText(/5,000 rows in/)).toBeInTheDocument()
  })

  it('that was left unfinished goes on, with its zone, once it is chosen again', async () => {
    const unfinished = {
      key: 'k',
      fileName: 'big.csv',
      size: 6_000_000,
      timezone: 'Asia/Jakarta',
      begunAt: '2025-11-21T10:00:00Z',
    }
    vi.mocked(findUnfinished).mockResolvedValue([unfinished])
    vi.mocked(isPartOf).mockImplementation((_, { name }) => name === 'big.csv')
    vi.mocked(sendResumable).mockResolvedValue(anUpload())
    const { user } = openApp('/uploads')
    const note = within(await screen.findByRole('region', { name: 'Unfinished uploads' }))
    expect(note.getByText(/6 MB, begun 21 Nov, 17:00/)).toBeInTheDocument()
    await user.upload(screen.getByLabelText('Choose files'), large('big.csv'))
    await waitFor(() =>
      expect(sendResumable).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' })),
    )
  })

  it('that was left unfinished can be forgotten', async () => {
    const unfinished = { key: 'k', fileName: 'big.csv', size: 6, timezone: 'UTC', begunAt: '2025-11-21T10:00:00Z' }
    vi.mocked(findUnfinished).mockResolvedValueOnce([unfinished])
    const { user } = openApp('/uploads')
    await user.click(await screen.findByRole('button', { name: 'Forget' }))
    expect(forgetUnfinished).toHaveBeenCalledWith('k', expect.anything())
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Unfinished uploads' })).not.toBeInTheDocument())
  })
})

describe('the progress of an upload', () => {
  it('follows the server’s events through the phases until the charts have it', async () => {
    const { list, say, source } = await follow()
    say(processing({ rows_total: 400, rows_accepted: 399, rows_rejected: 1 }))
    expect(await list.findByText('25 B of 100 B · 400 rows read, 399 accepted, 1 rejected (0.3%)')).toBeInTheDocument()
    expect(list.getByRole('progressbar', { name: 'Parsing' })).toHaveValue(0.25)
    expect(list.getByText('Parsing')).toHaveAttribute('aria-current', 'step')

    say(processing({ phase: 'publishing', bytes_done: 100 }))
    expect(await list.findByRole('progressbar', { name: 'Publishing' })).not.toHaveAttribute('value')
    say(anUpload({ phase: 'settling' }))
    expect(await list.findByText(/the charts are catching up/)).toBeInTheDocument()
    say(anUpload())
    await waitFor(() => expect(list.queryByRole('progressbar')).not.toBeInTheDocument())
    expect(list.getByText(/5,000 rows in/)).toBeInTheDocument()
    expect(source.closed).toBe(true)
  })

  it('says that its figures are old when nobody knows newer ones, and comes back', async () => {
    const { list, say, source } = await follow()
    say(processing({ rows_total: 400 }))
    server.on('GET /uploads/up-1', new Refusal(503, 'away'))
    act(() => source.onerror?.())
    expect(await list.findByText(/No connection to the server: these are the figures of/)).toBeInTheDocument()
    expect(list.getByText(/400 rows read/)).toBeInTheDocument()

    server.on('GET /uploads/up-1', processing({ rows_total: 900 }))
    await waitFor(() => expect(FakeEventSource.opened.length).toBeGreaterThan(1))
    act(() => FakeEventSource.opened.at(-1)?.say(processing({ rows_total: 800 })))
    expect(await list.findByText(/[89]00 rows read/)).toBeInTheDocument()
    await waitFor(() => expect(list.queryByText(/No connection/)).not.toBeInTheDocument())
  })

  it('can be stopped, after a question', async () => {
    const { user, list, say } = await follow()
    say(processing({ rows_accepted: 300 }))
    await user.click(await list.findByRole('button', { name: 'Stop reading' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Stop reading this file?' }))
    expect(dialog.getByText(/The 300 rows counted so far stay/)).toBeInTheDocument()
    const cancelled = anUpload({ status: 'cancelled', phase: null, rows_accepted: 300 })
    server.on('POST /uploads/up-1/cancel', cancelled).on('GET /uploads/up-1', cancelled)
    await user.click(dialog.getByRole('button', { name: 'Stop reading' }))
    expect(await list.findByText(/Cancelled. 300 rows had been counted by then and stay/)).toBeInTheDocument()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  })
})

describe('the history', () => {
  it('is narrowed by state, which stands in the address and is asked of the server', async () => {
    const good = anUpload({ upload_id: 'a', file_name: 'good.csv' })
    const held = anUpload({ upload_id: 'b', file_name: 'held.csv', status: 'needs_decision' })
    server.on('GET /uploads', ({ searchParams }: URL) => {
      const wanted = searchParams.getAll('status')
      return page(...[good, held].filter(({ status }) => wanted.length === 0 || wanted.includes(status)))
    })
    const { user, address, back } = openApp('/uploads')
    await screen.findByRole('link', { name: 'good.csv' })
    await user.click(screen.getByRole('button', { name: 'To decide' }))
    expect(address()).toBe('/uploads?show=decision')
    await waitFor(() => expect(screen.queryByRole('link', { name: 'good.csv' })).not.toBeInTheDocument())
    expect(screen.getByRole('link', { name: 'held.csv' })).toBeInTheDocument()
    await user.click(screen.getByRole('button', { name: 'Cancelled or undone' }))
    expect(await screen.findByText('No upload is in this state.')).toBeInTheDocument()
    expect(server.queries('/uploads').at(-1)?.getAll('status')).toEqual(['cancelled', 'withdrawn'])
    back()
    expect(await screen.findByRole('link', { name: 'held.csv' })).toBeInTheDocument()
  })

  it('goes on with older uploads when asked', async () => {
    server.on('GET /uploads', (url: URL) =>
      url.searchParams.get('cursor')
        ? page(anUpload({ upload_id: 'old', file_name: 'old.csv' }))
        : { items: [anUpload()], next_cursor: 'c' },
    )
    const { user } = openApp('/uploads')
    await user.click(await screen.findByRole('button', { name: 'Show older' }))
    expect(await screen.findByRole('link', { name: 'old.csv' })).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'day.csv' })).toBeInTheDocument()
  })
})
