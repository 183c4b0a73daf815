import { act, screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Upload } from '../../api/types'
import { FakeEventSource, FakeServer, ME, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { anUpload, aQuarantineItem, processing } from '../../test/samples'

let server: FakeServer

beforeEach(() => {
  server = new FakeServer().install()
})

describe('one upload', () => {
  async function open(upload: Upload) {
    server.on('GET /uploads/up-1', upload)
    const app = openApp('/uploads/up-1')
    await screen.findByRole('heading', { level: 1, name: upload.file_name })
    return app
  }

  it('is undone after a question that says what that does', async () => {
    const { user } = await open(anUpload())
    await user.click(screen.getByRole('button', { name: 'Undo this upload' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Undo this upload?' }))
    expect(dialog.getByText(/Takes back what only/)).toHaveTextContent('day.csv brought: 5,000 rows.')
    expect(dialog.getByText(/What another upload or a camera reported as well stays/)).toBeInTheDocument()

    server.on('DELETE /uploads/up-1', new Refusal(409, 'It is being read.'))
    await user.click(dialog.getByRole('button', { name: 'Undo this upload' }))
    expect(await dialog.findByRole('alert')).toHaveTextContent('It is being read.')

    const withdrawing = processing({ phase: 'publishing', withdrawing: true })
    server.on('DELETE /uploads/up-1', withdrawing).on('GET /uploads/up-1', withdrawing)
    await user.click(dialog.getByRole('button', { name: 'Undo this upload' }))
    expect(await screen.findByText('what it brought is being taken back')).toBeInTheDocument()
    const withdrawn = anUpload({ status: 'withdrawn', phase: null })
    server.on('GET /uploads/up-1', withdrawn)
    act(() => FakeEventSource.opened.at(-1)?.say(withdrawn))
    expect(await screen.findByText(/Undone: what only this file brought is no longer counted/)).toBeInTheDocument()
  })

  it('is left as it is when the question is answered with no', async () => {
    const { user } = await open(anUpload())
    await user.click(screen.getByRole('button', { name: 'Undo this upload' }))
    await user.click(screen.getByRole('button', { name: 'Back' }))
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(server.sent).toEqual([])
  })

  it('that failed can be tried again', async () => {
    const { user } = await open(anUpload({ status: 'failed', phase: null, error: 'Kafka went away', rows_accepted: 0 }))
    expect(screen.getByRole('alert')).toHaveTextContent('Refused: Kafka went away')
    server.on('POST /uploads/up-1/retry', processing()).on('GET /uploads/up-1', processing())
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('progressbar', { name: 'Parsing' })).toBeInTheDocument()
  })

  const held = anUpload({
    status: 'needs_decision',
    phase: 'parsing',
    rows_total: 200,
    rows_accepted: 150,
    rows_rejected: 50,
    rows_waiting: 150,
    rejects_by_reason: { bad_timestamp: 50 },
  })

  it('that is held shows how many rows are bad and why, and takes the good ones when told to', async () => {
    server.on('GET /quarantine', { items: [aQuarantineItem()], next_cursor: null, total: 50, by_reason: {} })
    const { user } = await open(held)
    expect(screen.getByText(/50 of 200 rows so far/)).toHaveTextContent('25%')
    await user.click(screen.getByRole('button', { name: 'Decide' }))
    const dialog = within(screen.getByRole('dialog', { name: 'What should become of day.csv?' }))
    expect(dialog.getByText(/50 rows: a time that cannot be read/)).toBeInTheDocument()
    expect(await dialog.findByText('person-7,cam-05,noon,10:04')).toBeInTheDocument()
    expect(server.queries('/quarantine')[0]?.get('source')).toBe('upload:up-1#')

    server.on('POST /uploads/up-1/decision', processing()).on('GET /uploads/up-1', processing())
    await user.click(dialog.getByRole('button', { name: 'Import the good rows' }))
    const bar = await screen.findByRole('progressbar', { name: 'Parsing' })
    await waitFor(() => expect(document.activeElement).toContainElement(bar))
    expect(document.activeElement).not.toBe(document.body)
    expect(server.sent).toEqual([{ call: 'POST /uploads/up-1/decision', body: { choice: 'import' } }])
  })

  it.each([
    [150, 'None of its rows has been imported yet.'],
    [30, '120 good rows had been imported before this showed; dropping takes them back.'],
  ])('that is held with %i good rows waiting says what is imported already', async (rows_waiting, sentence) => {
    const { user } = await open({ ...held, rows_waiting })
    expect(screen.getByText(/50 of 200 rows so far/)).toHaveTextContent(sentence)
    await user.click(screen.getByRole('button', { name: 'Decide' }))
    const dialog = within(screen.getByRole('dialog', { name: 'What should become of day.csv?' }))
    expect(dialog.getByText(sentence)).toBeInTheDocument()
  })

  it('that is held can be dropped, by an operator too', async () => {
    server.on('GET /auth/me', { ...ME, role: 'operator' })
    const { user } = await open(held)
    await user.click(screen.getByRole('button', { name: 'Decide' }))
    const dropped = anUpload({ status: 'cancelled', phase: null, rows_accepted: 0 })
    server.on('POST /uploads/up-1/decision', dropped).on('GET /uploads/up-1', dropped)
    await user.click(screen.getByRole('button', { name: 'Drop all' }))
    expect(await screen.findByText(/None of its rows was counted/)).toBeInTheDocument()
    expect(server.sent[0]?.body).toEqual({ choice: 'drop' })
  })

  it('that does not exist says so', async () => {
    openApp('/uploads/up-1')
    expect(await screen.findByRole('alert')).toBeInTheDocument()
  })
})
