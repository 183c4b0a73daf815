import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { drop, file } from '../../test/drop-files'
import { FakeServer, OPTIONS, Refusal } from '../../test/fake-server'
import { openApp } from '../../test/open-app'
import { anUpload, aPreview } from '../../test/samples'
import { sendFile } from './send-file'
import { findUnfinished, forgetUnfinished } from './send-resumable'

vi.mock('./send-file')
vi.mock('./send-resumable')

let server: FakeServer

beforeEach(() => {
  vi.resetAllMocks()
  localStorage.clear()
  localStorage.setItem('dwell-zone', 'UTC')
  server = new FakeServer().install()
  vi.mocked(findUnfinished).mockResolvedValue([])
  vi.mocked(forgetUnfinished).mockResolvedValue()
})

describe('the preview', () => {
  it('shows how a file will be read, and sends nothing until it is started', async () => {
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user, list } = await drop(file('day.csv'))
    expect(await list.findByText('CSV in UTF-8, separated by semicolons')).toBeInTheDocument()
    expect(list.getByText('2 of 4 columns understood, 1 by a guess')).toBeInTheDocument()
    expect(
      list.getByRole('row', { name: /utc_time_st utc_time_started by the beginning of its name 70%/ }),
    ).toBeInTheDocument()
    expect(list.getByText('shoe_size')).toBeInTheDocument()
    expect(list.getByText('face_crop_img')).toBeInTheDocument()
    expect(list.getByText('The ids are cut.')).toBeInTheDocument()
    expect(list.getByRole('heading', { name: '2 first rows as they will be read, 1 rejected' })).toBeInTheDocument()
    expect(list.getByRole('row', { name: /^2 person-7 cam-05 21 Nov, 10:00:00/ })).toBeInTheDocument()
    expect(list.getByRole('row', { name: /^3 .*bad_timestamp noon is no time/ })).toBeInTheDocument()
    expect(sendFile).not.toHaveBeenCalled()

    await user.click(list.getByRole('button', { name: 'Start upload' }))
    expect(await list.findByText(/5,000 rows in/)).toBeInTheDocument()
  })

  it('is read again for another zone, with which the file then goes', async () => {
    server.on('POST /uploads/preview', aPreview({ zone_matters: true }))
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user, list } = await drop(file('day.csv'))
    await list.findByText(/CSV in UTF-8/)
    await user.selectOptions(list.getByLabelText('Zone of times that name none'), 'Asia/Jakarta')
    await waitFor(() => expect(server.sent.filter(({ call }) => call === 'POST /uploads/preview')).toHaveLength(2))
    await user.click(list.getByRole('button', { name: 'Start upload' }))
    await waitFor(() => expect(sendFile).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' })))
  })

  it('keeps back a file that would be refused, and says why', async () => {
    const refusal = { status: 422, detail: 'no column gives a camera_id' }
    server.on('POST /uploads/preview', aPreview({ refusal, missing: ['camera_id'], rows: [] }))
    const { list } = await drop(file('day.csv'))
    expect(await list.findByRole('alert')).toHaveTextContent('This file would be refused: no column gives a camera_id')
    expect(list.getByText('camera_id')).toBeInTheDocument()
    expect(list.getByRole('button', { name: 'Start upload' })).toBeDisabled()
  })

  it('stands in nobody’s way when it fails', async () => {
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    server.on('POST /uploads/preview', new Refusal(422, 'too odd to preview'))
    const { user, list } = await drop(file('day.csv'))
    expect(await list.findByRole('alert')).toHaveTextContent('too odd to preview')
    await user.click(list.getByRole('button', { name: 'Start upload' }))
    expect(await list.findByText(/5,000 rows in/)).toBeInTheDocument()
  })

  it('asks for the zone of times that name none, and starts nothing before it is known', async () => {
    localStorage.removeItem('dwell-zone')
    server.on('POST /uploads/preview', aPreview({ zone_matters: true }))
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user, list } = await drop(file('day.csv'), file('other.csv'))
    const question = within(await list.findByRole('region', { name: 'Zone of day.csv' }))
    expect(question.getByText(/In which zone are the times of this file/).parentElement).toHaveTextContent(
      'The rows are shown as of Asia/Jakarta: 10:00 in the file is 03:00 UTC. A column is called utc_time_st, which speaks for UTC.',
    )
    const card = within(list.getByRole('listitem', { name: 'day.csv' }))
    expect(card.getByRole('button', { name: 'Start upload' })).toBeDisabled()
    expect(screen.queryByRole('button', { name: /Start all/ })).not.toBeInTheDocument()

    await user.click(question.getByRole('button', { name: 'They are UTC' }))
    expect(list.queryByRole('region', { name: 'Zone of day.csv' })).not.toBeInTheDocument()
    expect(list.getByRole('region', { name: 'Zone of other.csv' })).toBeInTheDocument()
    await user.click(card.getByRole('button', { name: 'Start upload' }))
    await waitFor(() => expect(sendFile).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'UTC' })))
    expect(sendFile).toHaveBeenCalledTimes(1)
  })

  it('asks for no zone where the times say what they mean', async () => {
    localStorage.removeItem('dwell-zone')
    const { list } = await drop(file('day.csv'))
    expect(await list.findByText('Its times need no zone.')).toBeInTheDocument()
    expect(list.queryByRole('combobox')).not.toBeInTheDocument()
    expect(list.getByRole('button', { name: 'Start upload' })).toBeEnabled()
  })

  it('asks for no zone where the site itself goes by UTC', async () => {
    localStorage.removeItem('dwell-zone')
    server
      .on('GET /filters', { ...OPTIONS, site_timezone: 'UTC' })
      .on('POST /uploads/preview', aPreview({ zone_matters: true }))
    const { list } = await drop(file('day.csv'))
    expect(await list.findByLabelText('Zone of times that name none')).toHaveValue('UTC')
    expect(list.getByRole('button', { name: 'Start upload' })).toBeEnabled()
  })

  it('cannot be skipped by a file whose zone nobody has said', async () => {
    localStorage.removeItem('dwell-zone')
    localStorage.setItem('dwell-preview', 'off')
    server.on('POST /uploads/preview', new Refusal(422, 'too odd to preview'))
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user, list } = await drop(file('day.csv'))
    expect(await list.findByText('It can be sent without a preview, once its zone is chosen.')).toBeInTheDocument()
    expect(list.getByRole('button', { name: 'Start upload' })).toBeDisabled()
    await user.selectOptions(list.getByLabelText('Zone of times that name none'), 'Asia/Jakarta')
    await user.click(await list.findByRole('button', { name: 'Start upload' }))
    await waitFor(() => expect(sendFile).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' })))
  })

  it('is skipped by those who want to, now and later', async () => {
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user } = openApp('/uploads')
    await user.click(await screen.findByLabelText('Preview before sending'))
    expect(localStorage.getItem('dwell-preview')).toBe('off')
    await user.upload(screen.getByLabelText('Choose files'), file('day.csv'))
    expect(await screen.findByText(/5,000 rows in/)).toBeInTheDocument()
    expect(server.sent).toEqual([])
  })

  it('of several files ends with one press', async () => {
    vi.mocked(sendFile).mockResolvedValue(anUpload())
    const { user, list } = await drop(file('1.csv'), file('2.csv'))
    await user.click(await screen.findByRole('button', { name: 'Start all 2 uploads' }))
    expect(await list.findAllByText(/5,000 rows in/)).toHaveLength(2)
  })

  it('shows what a file holds as text and never as markup', async () => {
    const [row] = aPreview().rows
    const item = { ...row?.item, subject_id: '<img src=x onerror=alert(1)>' }
    server.on('POST /uploads/preview', aPreview({ rows: [{ line: 2, reason_code: null, reason: null, item }] }))
    const { list } = await drop(file('day.csv'))
    expect(await list.findByText('<img src=x onerror=alert(1)>')).toBeInTheDocument()
    expect(document.querySelector('img')).toBeNull()
  })
})
