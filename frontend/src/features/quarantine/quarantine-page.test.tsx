import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import type { QuarantineItem, ReplayResult } from '../../api/types'
import { FakeServer, ME, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { aQuarantineGroup, aQuarantineItem } from '../../test/samples'

const rows = (...items: QuarantineItem[]) => ({ items, next_cursor: null, total: 7, by_reason: {} })
const result = (change: Partial<ReplayResult> = {}): ReplayResult => ({
  replayed: 1,
  accepted: 1,
  rejected: [],
  remaining: 0,
  next_cursor: null,
  ...change,
})

describe('the quarantine', () => {
  let server: FakeServer

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /quarantine/groups', { items: [aQuarantineGroup()] })
      .on(
        'GET /quarantine',
        rows(aQuarantineItem(), aQuarantineItem({ quarantine_id: 'q-2', source: 'upload:up-1#18' })),
      )
      .install()
  })

  async function openGroup() {
    const app = openApp('/quarantine')
    await app.user.click(await screen.findByRole('button', { name: 'Open a time that cannot be read' }))
    return { ...app, list: within(await screen.findByRole('list', { name: 'Refused rows' })) }
  }

  it('tells by reason how many rows were refused, what to do about it, and one of them', async () => {
    openApp('/quarantine')
    const group = await screen.findByRole('listitem', { name: 'a time that cannot be read' })
    expect(group).toHaveTextContent('7 × a time that cannot be read bad_timestamp')
    expect(group).toHaveTextContent('Write times as 2025-11-21T10:00:00Z.')
    expect(group).toHaveTextContent('person-7,cam-05,noon,10:04')
    expect(group).toHaveTextContent('newest 21 Nov, 17:00')
    expect(screen.getByRole('heading', { name: '7 refused rows, 1 reason' })).toBeInTheDocument()
  })

  it('opens a reason at an address of its own and closes it again', async () => {
    const { user, address, list } = await openGroup()
    expect(address()).toBe('/quarantine?reason=bad_timestamp')
    expect(list.getByRole('listitem', { name: 'line 17' })).toHaveTextContent('noon is no time')
    expect(list.getByRole('link', { name: 'Line 17' })).toHaveAttribute('href', '/uploads/up-1')
    await user.click(screen.getByRole('button', { name: 'Close a time that cannot be read' }))
    expect(address()).toBe('/quarantine')
  })

  it('shows one upload’s rows alone, and all again', async () => {
    const { user, address } = openApp('/quarantine?source=upload%3Aup-1%23')
    await screen.findByRole('listitem', { name: 'a time that cannot be read' })
    expect(server.queries('/quarantine/groups')[0]?.get('source')).toBe('upload:up-1#')
    await user.click(screen.getByRole('button', { name: 'Remove: from upload:up-1#' }))
    expect(address()).toBe('/quarantine')
    await user.click(screen.getByRole('button', { name: 'Cameras' }))
    expect(address()).toBe('/quarantine?source=corsight%3A')
  })

  it('lets a row be mended in place, and says what became of it', async () => {
    server.on(
      'POST /quarantine/replay',
      result({
        accepted: 0,
        rejected: [{ quarantine_id: 'q-1', reason_code: 'negative_dwell', reason: 'ends before it starts' }],
      }),
    )
    const { user, list } = await openGroup()
    await user.click(list.getByRole('button', { name: 'Edit line 17' }))
    const text = list.getByLabelText('Text of line 17')
    expect(text).toHaveFocus()
    await user.clear(text)
    await user.type(text, 'person-7,cam-05,10:05,10:04')
    await user.click(list.getByRole('button', { name: 'Run again' }))
    expect(await list.findByText(/Still refused: ends before it starts/)).toBeInTheDocument()
    expect(server.sent[0]).toEqual({
      call: 'POST /quarantine/replay',
      body: { items: [{ quarantine_id: 'q-1', raw: 'person-7,cam-05,10:05,10:04' }] },
    })

    server
      .on('POST /quarantine/replay', result())
      .on('GET /quarantine', rows(aQuarantineItem({ quarantine_id: 'q-2', source: 'upload:up-1#18' })))
    await user.click(list.getByRole('button', { name: 'Run again' }))
    expect(await screen.findByText('1 row ran again: 1 in.')).toBeInTheDocument()
    await waitFor(() => expect(list.queryByRole('listitem', { name: 'line 17' })).not.toBeInTheDocument())
  })

  it('runs a row again as it is when nothing was changed, and Escape closes the editor', async () => {
    server.on('POST /quarantine/replay', new Refusal(503, 'Kafka did not answer'))
    const { user, list } = await openGroup()
    await user.click(list.getByRole('button', { name: 'Edit line 17' }))
    await user.click(list.getByRole('button', { name: 'Run again unchanged' }))
    expect(await list.findByRole('alert')).toHaveTextContent('Kafka did not answer')
    expect(server.sent[0]?.body).toEqual({ items: [{ quarantine_id: 'q-1', raw: null }] })
    await user.click(list.getByLabelText('Text of line 17'))
    await user.keyboard('{Escape}')
    expect(list.queryByLabelText('Text of line 17')).not.toBeInTheDocument()
  })

  it('mends all rows of a reason after saying how many, and tells row by row what is still refused', async () => {
    server.on('POST /quarantine/replay', (_: URL, request: Request) => {
      void request
      return server.sent.length === 1
        ? result({ replayed: 5, accepted: 5, remaining: 2, next_cursor: 'next' })
        : result({
            replayed: 2,
            accepted: 1,
            rejected: [{ quarantine_id: 'q-2', reason_code: 'bad_timestamp', reason: 'dusk is no time' }],
          })
    })
    const { user } = await openGroup()
    await user.click(await screen.findByText('Fix all 7 rows at once'))
    await user.type(screen.getByLabelText('Field'), 'utc_time_started')
    await user.type(screen.getByLabelText(/^Find/), 'noon')
    await user.type(screen.getByLabelText('Replace with'), '12:00')
    await user.click(screen.getByRole('button', { name: 'Fix and run again' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Run 7 rows again?' }))
    expect(dialog.getByText(/In utc_time_started|becomes/)).toHaveTextContent(
      'In utc_time_started, noon becomes 12:00.',
    )
    expect(server.sent).toEqual([])
    await user.click(dialog.getByRole('button', { name: 'Run 7 rows again' }))
    expect(await screen.findByText('7 rows ran again: 6 in, 1 still refused.')).toBeInTheDocument()
    expect(screen.getByRole('list', { name: 'Still refused' })).toHaveTextContent(
      'Line 18: dusk is no time bad_timestamp',
    )
    const fix = { field: 'utc_time_started', find: 'noon', replace: '12:00' }
    expect(server.sent.map(({ body }) => body)).toEqual([
      { reason_code: 'bad_timestamp', source: '', fix },
      { reason_code: 'bad_timestamp', source: '', fix, cursor: 'next' },
    ])
  })

  it('reads all rows of a reason in another zone', async () => {
    server.on('POST /quarantine/replay', result({ replayed: 7, accepted: 7 }))
    const { user } = await openGroup()
    await user.click(await screen.findByText('Fix all 7 rows at once'))
    await user.click(screen.getByRole('button', { name: 'Another time zone' }))
    await user.selectOptions(screen.getByLabelText('Read times without a zone as of'), 'Asia/Jakarta')
    await user.click(screen.getByRole('button', { name: 'Fix and run again' }))
    await user.click(screen.getByRole('button', { name: 'Run 7 rows again' }))
    expect(await screen.findByText('7 rows ran again: 7 in.')).toBeInTheDocument()
    expect(server.sent[0]?.body).toMatchObject({ fix: { timezone: 'Asia/Jakarta' } })
  })

  it('offers no second run of what no file or camera brought', async () => {
    server.on('GET /quarantine', rows(aQuarantineItem({ source: 'kafka:appearances.v1/3/17' })))
    const { list } = await openGroup()
    expect(list.getByText('kafka:appearances.v1/3/17')).toBeInTheDocument()
    expect(list.queryByRole('button', { name: /Edit/ })).not.toBeInTheDocument()
  })

  it('lets go of a row that is worth nothing, after a question', async () => {
    const { user, list } = await openGroup()
    await user.click(list.getByRole('button', { name: 'Dismiss line 17' }))
    await user.click(screen.getByRole('button', { name: 'Back' }))
    expect(server.sent).toEqual([])

    await user.click(list.getByRole('button', { name: 'Dismiss line 17' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Dismiss 1 row?' }))
    expect(dialog.getByText(/For its upload it stays rejected/)).toBeInTheDocument()
    server.on('POST /quarantine/dismiss', new Refusal(503, 'The database is away.'))
    await user.click(dialog.getByRole('button', { name: 'Dismiss 1 row' }))
    expect(await dialog.findByRole('alert')).toHaveTextContent('The database is away.')

    server.on('POST /quarantine/dismiss', () => {
      server.on('GET /quarantine', rows(aQuarantineItem({ quarantine_id: 'q-2', source: 'upload:up-1#18' })))
      return { dismissed: 1 }
    })
    await user.click(dialog.getByRole('button', { name: 'Dismiss 1 row' }))
    expect(await screen.findByText('1 row dismissed.')).toBeInTheDocument()
    await waitFor(() => expect(list.queryByRole('listitem', { name: 'line 17' })).not.toBeInTheDocument())
    expect(server.sent.at(-1)).toEqual({ call: 'POST /quarantine/dismiss', body: { quarantine_ids: ['q-1'] } })
  })

  it('lets go of all rows of a reason, from the source that is looked at', async () => {
    server.on('POST /quarantine/dismiss', { dismissed: 7 })
    const { user } = openApp('/quarantine?source=upload%3Aup-1%23&reason=bad_timestamp')
    await user.click(await screen.findByRole('button', { name: 'Dismiss all 7 rows' }))
    const dialog = within(screen.getByRole('dialog', { name: 'Dismiss 7 rows?' }))
    server.on('GET /quarantine', { items: [], next_cursor: null, total: 0, by_reason: {} })
    await user.click(dialog.getByRole('button', { name: 'Dismiss 7 rows' }))
    expect(await screen.findByText('7 rows dismissed.')).toBeInTheDocument()
    expect(server.sent).toEqual([
      { call: 'POST /quarantine/dismiss', body: { reason_code: 'bad_timestamp', source: 'upload:up-1#' } },
    ])
    await waitFor(() => expect(screen.queryByRole('list', { name: 'Refused rows' })).toBeEmptyDOMElement())
  })

  it('shows a row’s text as text and never as markup', async () => {
    server.on('GET /quarantine', rows(aQuarantineItem({ raw: '<img src=x onerror=alert(1)>' })))
    const { list } = await openGroup()
    expect(list.getByText('<img src=x onerror=alert(1)>')).toBeInTheDocument()
    expect(document.querySelector('img')).toBeNull()
  })

  it('says when nothing is refused, and when only the filter leaves nothing', async () => {
    server.on('GET /quarantine/groups', { items: [] })
    const { user } = openApp('/quarantine')
    expect(await screen.findByText('Nothing is refused: every row was understood.')).toBeInTheDocument()
    await user.click(screen.getByRole('button', { name: 'Stream' }))
    await user.click(await screen.findByRole('button', { name: 'Show all sources' }))
    expect(await screen.findByText('Nothing is refused: every row was understood.')).toBeInTheDocument()
  })

  it('is not for viewers', async () => {
    server.on('GET /auth/me', { ...ME, role: 'viewer' })
    openApp('/quarantine')
    expect(await screen.findByText('Your role does not allow reading what was refused.')).toBeInTheDocument()
    expect(screen.queryByRole('link', { name: 'Quarantine' })).not.toBeInTheDocument()
    expect(server.queries('/quarantine/groups')).toEqual([])
  })
})
