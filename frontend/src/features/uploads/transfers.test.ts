import { describe, expect, it, vi } from 'vitest'
import { problemFrom } from '../../api/problem'
import type { Upload } from '../../api/types'
import { anUpload } from '../../test/samples'
import type { SendOptions } from './send-file'
import { Transfers } from './transfers'

const file = (name: string, content = 'a,b') => new File([content], name)
const states = (transfers: Transfers) =>
  transfers.getSnapshot().map((transfer) => `${transfer.file.name} ${transfer.state}`)

function withSend(send: (options: SendOptions) => Promise<Upload>) {
  const onTaken = vi.fn()
  const spy = vi.fn(send)
  return { transfers: new Transfers(spy, onTaken), send: spy, onTaken }
}

describe('Transfers', () => {
  it('refuses what is no data file and sends nothing of it', () => {
    const { transfers, send } = withSend(async () => anUpload())
    transfers.add([file('setup.exe')], 'UTC')
    expect(send).not.toHaveBeenCalled()
    expect(transfers.getSnapshot()[0]).toMatchObject({ state: 'refused', reason: expect.stringContaining('CSV') })
  })

  it('sends one file after the other, in the order they were given', async () => {
    const finish: (() => void)[] = []
    const { transfers, send } = withSend(() => new Promise((resolve) => finish.push(() => resolve(anUpload()))))
    transfers.add([file('1.csv'), file('2.csv')], 'Asia/Jakarta')
    expect(states(transfers)).toEqual(['2.csv waiting', '1.csv sending'])
    expect(send.mock.lastCall?.[0]).toMatchObject({ timezone: 'Asia/Jakarta' })
    finish[0]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv sending', '1.csv taken']))
    finish[1]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv taken', '1.csv taken']))
  })

  it('tells how much has gone, and hands over what the server made of it', async () => {
    const upload = anUpload({ upload_id: 'u' })
    const { transfers, onTaken } = withSend(async ({ onProgress }) => {
      onProgress(2, 3)
      return upload
    })
    transfers.add([file('1.csv')], 'UTC')
    await vi.waitFor(() => expect(onTaken).toHaveBeenCalledWith(upload))
    expect(transfers.getSnapshot()[0]).toMatchObject({ sent: 2, total: 3, upload })
  })

  it('says why one failed, goes on with the next, and can try again', async () => {
    let broken = true
    const { transfers } = withSend(async ({ file: { name } }) => {
      if (name === 'bad.csv' && broken) throw problemFrom(503, { title: 'no', detail: 'Kafka did not answer' })
      return anUpload()
    })
    transfers.add([file('bad.csv'), file('good.csv')], 'UTC')
    await vi.waitFor(() => expect(states(transfers)).toEqual(['good.csv taken', 'bad.csv failed']))
    expect(transfers.getSnapshot()[1]?.reason).toBe('Kafka did not answer')
    broken = false
    transfers.retry(transfers.getSnapshot()[1]?.id ?? 0)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['good.csv taken', 'bad.csv taken']))
  })

  it('offers no second try of what was refused for what it is', async () => {
    const { transfers } = withSend(async () => Promise.reject(problemFrom(415, { detail: 'a PNG image' })))
    transfers.add([file('1.csv')], 'UTC')
    await vi.waitFor(() => expect(transfers.getSnapshot()[0]).toMatchObject({ state: 'failed', mayRetry: false }))
  })

  it('says that nothing was saved when the connection broke', async () => {
    const { transfers } = withSend(async () => Promise.reject(problemFrom(0, null)))
    transfers.add([file('1.csv')], 'UTC')
    await vi.waitFor(() => expect(transfers.getSnapshot()[0]?.reason).toContain('Nothing of it was saved'))
  })

  it('can be cancelled while it is sent and while it waits', async () => {
    const { transfers } = withSend(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    )
    transfers.add([file('1.csv'), file('2.csv')], 'UTC')
    const [second, first] = transfers.getSnapshot()
    transfers.cancel(second?.id ?? 0)
    transfers.cancel(first?.id ?? 0)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv cancelled', '1.csv cancelled']))
  })

  it('forgets what is dismissed', () => {
    const { transfers } = withSend(async () => anUpload())
    transfers.add([file('setup.exe')], 'UTC')
    transfers.dismiss(transfers.getSnapshot()[0]?.id ?? 0)
    expect(transfers.getSnapshot()).toEqual([])
  })
})
