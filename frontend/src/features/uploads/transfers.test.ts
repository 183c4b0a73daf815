import { afterEach, describe, expect, it, vi } from 'vitest'
import { problemFrom } from '../../api/problem'
import type { Upload } from '../../api/types'
import { anUpload } from '../../test/samples'
import type { SendOptions } from './send-file'
import { type Transfer, Transfers } from './transfers'

const file = (name: string, content = 'a,b') => new File([content], name)
const large = (name: string) => Object.defineProperty(file(name), 'size', { value: 6_000_000 }) as File
const send = (...files: File[]) =>
  files.map((each) => ({ file: each, timezone: 'UTC', zoneChosen: true, review: false }))
const states = (transfers: Transfers) =>
  transfers.getSnapshot().map((transfer) => `${transfer.file.name} ${transfer.state}`)
const only = (transfers: Transfers) => transfers.getSnapshot()[0] as Transfer

function withSender(answer: (options: SendOptions) => Promise<Upload>) {
  const onTaken = vi.fn()
  const whole = vi.fn(answer)
  const inParts = vi.fn(answer)
  const discardParts = vi.fn(async () => {})
  return {
    transfers: new Transfers({ whole, inParts, discardParts }, onTaken, () => 0),
    whole,
    inParts,
    discardParts,
    onTaken,
  }
}

/** Answers when told to, and breaks off when stopped. */
function heldSender() {
  const finish: (() => void)[] = []
  const sender = withSender(
    ({ signal }) =>
      new Promise((resolve, reject) => {
        finish.push(() => resolve(anUpload()))
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  )
  return { ...sender, finish }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('Transfers', () => {
  it('refuses what is no data file and sends nothing of it', () => {
    const { transfers, whole } = withSender(async () => anUpload())
    transfers.add(send(file('setup.exe')))
    expect(whole).not.toHaveBeenCalled()
    expect(only(transfers)).toMatchObject({ state: 'refused', reason: expect.stringContaining('CSV') })
  })

  it('sends one file after the other, in the order they were given', async () => {
    const { transfers, finish, whole } = heldSender()
    transfers.add([
      { file: file('1.csv'), timezone: 'Asia/Jakarta', zoneChosen: true, review: false },
      { file: file('2.csv'), timezone: 'UTC', zoneChosen: true, review: false },
    ])
    expect(states(transfers)).toEqual(['2.csv waiting', '1.csv sending'])
    expect(whole.mock.lastCall?.[0]).toMatchObject({ timezone: 'Asia/Jakarta' })
    finish[0]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv sending', '1.csv taken']))
    finish[1]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv taken', '1.csv taken']))
  })

  it('sends nothing that is to be looked at first, until somebody says so', async () => {
    const { transfers, whole } = withSender(async () => anUpload())
    transfers.add([{ file: file('1.csv'), timezone: 'UTC', zoneChosen: false, review: true }])
    expect(states(transfers)).toEqual(['1.csv review'])
    expect(whole).not.toHaveBeenCalled()
    transfers.setTimezone(only(transfers).id, 'Asia/Jakarta')
    transfers.go(only(transfers).id)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['1.csv taken']))
    expect(whole).toHaveBeenCalledWith(expect.objectContaining({ timezone: 'Asia/Jakarta' }))
  })

  it('sends large files in parts, small ones whole', async () => {
    const { transfers, whole, inParts } = withSender(async () => anUpload())
    transfers.add(send(file('small.csv'), large('large.csv')))
    await vi.waitFor(() => expect(states(transfers)).toEqual(['large.csv taken', 'small.csv taken']))
    expect(whole.mock.calls.map(([options]) => options.file.name)).toEqual(['small.csv'])
    expect(inParts.mock.calls.map(([options]) => options.file.name)).toEqual(['large.csv'])
  })

  it('tells how much has gone, and hands over what the server made of it', async () => {
    const upload = anUpload({ upload_id: 'u' })
    const { transfers, onTaken } = withSender(async ({ onProgress }) => {
      onProgress(2, 3)
      onProgress(1, 3)
      return upload
    })
    transfers.add(send(file('1.csv')))
    await vi.waitFor(() => expect(onTaken).toHaveBeenCalledWith(upload))
    expect(only(transfers)).toMatchObject({ sent: 2, total: 3, upload })
  })

  it('says why one failed, goes on with the next, and can try again', async () => {
    let broken = true
    const { transfers } = withSender(async ({ file: { name } }) => {
      if (name === 'bad.csv' && broken) throw problemFrom(503, { title: 'no', detail: 'Kafka did not answer' })
      return anUpload()
    })
    transfers.add(send(file('bad.csv'), file('good.csv')))
    await vi.waitFor(() => expect(states(transfers)).toEqual(['good.csv taken', 'bad.csv failed']))
    expect(transfers.getSnapshot()[1]?.reason).toBe('Kafka did not answer')
    broken = false
    transfers.go(transfers.getSnapshot()[1]?.id ?? 0)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['good.csv taken', 'bad.csv taken']))
  })

  it('offers no second try of what was refused for what it is', async () => {
    const { transfers } = withSender(async () => Promise.reject(problemFrom(415, { detail: 'a PNG image' })))
    transfers.add(send(file('1.csv'), large('2.csv')))
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv failed', '1.csv failed']))
    expect(transfers.getSnapshot().map((transfer) => transfer.mayRetry)).toEqual([false, false])
  })

  it('says what a broken connection means for a file that goes whole', async () => {
    const { transfers } = withSender(async () => Promise.reject(problemFrom(0, null)))
    transfers.add(send(file('1.csv')))
    await vi.waitFor(() => expect(only(transfers).reason).toContain('nothing is counted twice'))
  })

  it('can be paused and goes on, and lets others pass meanwhile', async () => {
    const { transfers, finish, discardParts } = heldSender()
    transfers.add(send(large('1.csv'), file('2.csv')))
    transfers.pause(transfers.getSnapshot()[1]?.id ?? 0)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv sending', '1.csv paused']))
    finish[1]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv taken', '1.csv paused']))
    transfers.go(transfers.getSnapshot()[1]?.id ?? 0)
    expect(states(transfers)).toEqual(['2.csv taken', '1.csv sending'])
    finish[2]?.()
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv taken', '1.csv taken']))
    expect(discardParts).not.toHaveBeenCalled()
  })

  it('takes an interrupted one up by itself, later each time', async () => {
    vi.useFakeTimers({ now: 0 })
    let broken = true
    const { transfers, inParts } = withSender(async ({ onProgress }) => {
      if (broken) throw problemFrom(0, null)
      onProgress(6_000_000, 6_000_000)
      return anUpload()
    })
    transfers.add(send(large('1.csv')))
    await vi.advanceTimersByTimeAsync(0)
    expect(only(transfers)).toMatchObject({ state: 'interrupted', retryAt: 500 })
    await vi.advanceTimersByTimeAsync(500)
    expect(only(transfers)).toMatchObject({ state: 'interrupted', retryAt: 1500 })
    broken = false
    await vi.advanceTimersByTimeAsync(1000)
    expect(only(transfers).state).toBe('taken')
    expect(inParts).toHaveBeenCalledTimes(3)
  })

  it('keeps what had arrived of a file while somebody signs in again', async () => {
    const { transfers, discardParts } = withSender(async () => Promise.reject(problemFrom(401, null)))
    transfers.add(send(large('1.csv')))
    await vi.waitFor(() => expect(only(transfers)).toMatchObject({ state: 'failed', mayRetry: true }))
    expect(discardParts).not.toHaveBeenCalled()
  })

  it('does not wait when the network says that it is back', async () => {
    let broken = true
    const { transfers } = withSender(async () => {
      if (broken) throw problemFrom(0, null)
      return anUpload()
    })
    transfers.add(send(large('1.csv')))
    await vi.waitFor(() => expect(only(transfers).state).toBe('interrupted'))
    broken = false
    transfers.retryNow()
    await vi.waitFor(() => expect(only(transfers).state).toBe('taken'))
  })

  it('can be cancelled while it is sent and while it waits, and gives up what had arrived', async () => {
    const { transfers, discardParts } = heldSender()
    transfers.add(send(large('1.csv'), file('2.csv')))
    const [second, first] = transfers.getSnapshot()
    transfers.cancel(second?.id ?? 0)
    transfers.cancel(first?.id ?? 0)
    await vi.waitFor(() => expect(states(transfers)).toEqual(['2.csv cancelled', '1.csv cancelled']))
    expect(discardParts.mock.calls).toEqual([[first?.file, 'UTC']])
  })

  it('forgets what is dismissed', () => {
    const { transfers } = withSender(async () => anUpload())
    transfers.add(send(file('setup.exe')))
    transfers.dismiss(only(transfers).id)
    expect(transfers.getSnapshot()).toEqual([])
  })
})
