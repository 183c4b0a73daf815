import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Upload } from '../../api/types'
import { FakeServer, ME } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { anUpload } from '../../test/samples'
import { sendFile } from './send-file'

vi.mock('./send-file')

const file = (name: string) => new File(['a,b'], name, { type: 'text/csv' })

describe('uploading', () => {
  let server: FakeServer

  beforeEach(() => {
    server = new FakeServer().install()
  })

  async function choose(answer: Upload, ...files: File[]) {
    vi.mocked(sendFile).mockResolvedValue(answer)
    const { user } = openApp('/uploads')
    await user.upload(await screen.findByLabelText('Choose files'), files)
    return within(await screen.findByRole('list', { name: 'Files of this visit' }))
  }

  it('refuses what is no data file, says why, and sends nothing', async () => {
    const list = await choose(anUpload(), file('setup.exe'))
    expect(list.getByRole('alert')).toHaveTextContent('Not sent: Not a CSV or JSON file')
    expect(sendFile).not.toHaveBeenCalled()
  })

  it('ends with what went in, what did not and why, and the file of the rejects', async () => {
    const list = await choose(anUpload(), file('day.csv'))
    expect(await list.findByText('5,000 rows in, 12 rejected (0.2%)')).toBeInTheDocument()
    expect(list.getByText(/7 rows: a time that cannot be read/)).toBeInTheDocument()
    expect(list.getByRole('link', { name: 'Download rejects' })).toHaveAttribute(
      'href',
      '/api/v1/uploads/up-1/rejects.csv',
    )
  })

  it('says when the same bytes were there before', async () => {
    const list = await choose(anUpload({ duplicate: true }), file('day.csv'))
    expect(await list.findByText(/These very bytes were uploaded before/)).toBeInTheDocument()
  })

  it('follows a queued file until it is read', async () => {
    const processing = anUpload({
      status: 'processing',
      rows_total: 400,
      rows_rejected: 1,
      bytes_done: 25,
      bytes_total: 100,
    })
    server.on('GET /uploads/up-1', processing)
    const list = await choose(anUpload({ status: 'received' }), file('big.csv'))
    expect(await list.findByText(/in the queue/)).toBeInTheDocument()
    expect(await list.findByText('400 rows read, 1 rejected')).toBeInTheDocument()
    expect(list.getByRole('progressbar', { name: 'Reading rows' })).toHaveValue(0.25)

    server.on('GET /uploads/up-1', anUpload())
    expect(await list.findByText(/5,000 rows in/)).toBeInTheDocument()
  })

  it('sends the zone that was chosen for times without one', async () => {
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user } = openApp('/uploads')
    await user.selectOptions(await screen.findByLabelText('Zone of times that name none'), 'Asia/Jakarta')
    expect(screen.getByText(/10:00 in the file is 03:00 UTC, 10:00 in Asia\/Jakarta/)).toBeInTheDocument()
    await user.upload(screen.getByLabelText('Choose files'), file('day.csv'))
    await waitFor(() => expect(sendFile).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' })))
  })

  it('is nothing that a viewer is offered', async () => {
    server.on('GET /auth/me', { ...ME, role: 'viewer' })
    openApp('/uploads')
    expect(await screen.findByText('No file was uploaded yet.')).toBeInTheDocument()
    expect(screen.queryByLabelText('Choose files')).not.toBeInTheDocument()
  })
})
