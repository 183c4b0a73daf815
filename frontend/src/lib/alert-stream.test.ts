import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { anAlert } from '../test/samples'
import { AlertStream, type Socket, type SocketHandlers } from './alert-stream'

class FakeSocket implements Socket {
  sent: string[] = []
  closed = false

  constructor(readonly on: SocketHandlers) {}

  send(text: string) {
    this.sent.push(text)
  }
  close() {
    this.closed = true
    this.on.close()
  }
  say(frame: unknown) {
    this.on.message(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }
}

const welcome = (recovered = true, cursor = 'c1') => ({ type: 'welcome', cursor, recovered })
const heartbeat = (cursor = 'c2') => ({
  type: 'heartbeat',
  cursor,
  server_time: '2025-11-21T10:00:05Z',
  newest_event_time: '2025-11-21T10:00:01Z',
  source_heartbeat_at: '2025-11-21T10:00:04Z',
})

describe('AlertStream', () => {
  let sockets: FakeSocket[]
  let stream: AlertStream
  const onGap = vi.fn()
  const onSignedOut = vi.fn()
  const address = vi.fn()

  const socket = () => sockets.at(-1) as FakeSocket
  const connect = async (recovered = true) => {
    await vi.advanceTimersByTimeAsync(0)
    socket().on.open()
    socket().say(welcome(recovered))
  }

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2025-11-21T10:00:00Z') })
    sockets = []
    onGap.mockReset()
    onSignedOut.mockReset()
    address.mockReset().mockResolvedValue('ws://shop/ws/alerts')
    stream = new AlertStream({
      address,
      onGap,
      onSignedOut,
      random: () => 1,
      open: (_, on) => {
        sockets.push(new FakeSocket(on))
        return socket()
      },
    })
    stream.start()
  })

  afterEach(() => {
    stream.stop()
    vi.useRealTimers()
  })

  it('says hello, and is open only once it is welcome', async () => {
    await vi.advanceTimersByTimeAsync(0)
    socket().on.open()
    expect(JSON.parse(socket().sent[0] as string)).toEqual({ type: 'hello', token: null, filters: {}, last: null })
    expect(stream.getSnapshot().connection).toBe('connecting')
    socket().say(welcome())
    expect(stream.getSnapshot().connection).toBe('open')
  })

  it('comes back with its last cursor', async () => {
    await connect()
    socket().say(heartbeat('c7'))
    socket().close()
    expect(stream.getSnapshot()).toMatchObject({ connection: 'waiting', retryAt: Date.now() + 1000 })
    await vi.advanceTimersByTimeAsync(1000)
    socket().on.open()
    expect(JSON.parse(socket().sent[0] as string).last).toBe('c7')
  })

  it('asks for the list again only when the server cannot give back what was missed', async () => {
    await connect(true)
    expect(onGap).not.toHaveBeenCalled()
    socket().close()
    await vi.advanceTimersByTimeAsync(1000)
    await connect(false)
    expect(onGap).toHaveBeenCalledTimes(1)
  })

  it('keeps of each alert the greatest revision', async () => {
    await connect()
    const say = (revision: number) =>
      socket().say({ type: 'alerts', cursor: `r${revision}`, items: [anAlert({ alert_id: 'a', revision })] })
    say(1)
    say(3)
    say(2)
    await vi.advanceTimersByTimeAsync(200)
    expect([...stream.getSnapshot().alerts.values()].map((alert) => alert.revision)).toEqual([3])
  })

  it('redraws a burst at most five times a second', async () => {
    await connect()
    const redraw = vi.fn()
    stream.subscribe(redraw)
    for (let index = 0; index < 100; index += 1) {
      socket().say({ type: 'alerts', cursor: String(index), items: [anAlert({ alert_id: String(index) })] })
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(redraw.mock.calls.length).toBeLessThanOrEqual(5)
    await vi.advanceTimersByTimeAsync(200)
    expect(stream.getSnapshot().alerts.size).toBe(100)
  })

  it('forgets the oldest rather than grow without end', async () => {
    await connect()
    const items = Array.from({ length: 5002 }, (_, index) => anAlert({ alert_id: String(index) }))
    socket().say({ type: 'alerts', cursor: 'x', items })
    await vi.advanceTimersByTimeAsync(200)
    const { alerts } = stream.getSnapshot()
    expect([alerts.size, alerts.has('1'), alerts.has('5001')]).toEqual([5000, false, true])
  })

  it('takes a silent connection for a dead one', async () => {
    await connect()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(socket().closed).toBe(true)
    expect(stream.getSnapshot().connection).toBe('waiting')
  })

  it('waits longer each time, at most half a minute, and begins anew once welcome', async () => {
    const waits: number[] = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      await vi.advanceTimersByTimeAsync(0)
      socket().close()
      const wait = (stream.getSnapshot().retryAt ?? 0) - Date.now()
      waits.push(wait / 1000)
      await vi.advanceTimersByTimeAsync(wait)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30])
    await connect()
    socket().close()
    expect((stream.getSnapshot().retryAt ?? 0) - Date.now()).toBe(1000)
  })

  it('waits as long as the server asks when it says bye', async () => {
    await connect()
    socket().say({ type: 'bye', code: 4408, retry_after: 12 })
    expect(stream.getSnapshot()).toMatchObject({ connection: 'waiting', retryAt: Date.now() + 12_000 })
    expect(socket().closed).toBe(true)
  })

  it('says so when the server does not know the login any more', async () => {
    await connect()
    socket().say({ type: 'bye', code: 4408, retry_after: 1 })
    expect(onSignedOut).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1000)
    await connect()
    socket().say({ type: 'bye', code: 4401, retry_after: null })
    expect(onSignedOut).toHaveBeenCalledTimes(1)
  })

  it('tries at once when the network is back', async () => {
    await connect()
    socket().close()
    stream.retryNow()
    await vi.advanceTimersByTimeAsync(0)
    expect(sockets).toHaveLength(2)
  })

  it('keeps trying when it cannot even learn the address', async () => {
    stream.stop()
    address.mockRejectedValueOnce(new Error('gateway down'))
    stream.start()
    await vi.advanceTimersByTimeAsync(0)
    expect(stream.getSnapshot().connection).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1000)
    expect(stream.getSnapshot().connection).toBe('connecting')
    expect(address).toHaveBeenCalled()
  })

  it('learns how far the server’s clock is ahead', async () => {
    await connect()
    socket().say(heartbeat())
    expect(stream.getSnapshot()).toMatchObject({
      clockOffset: 5000,
      newestEventTime: '2025-11-21T10:00:01Z',
      sourceHeartbeatAt: '2025-11-21T10:00:04Z',
    })
  })

  it('overlooks what it cannot read', async () => {
    await connect()
    socket().say('{')
    socket().say('{"type":"confetti"}')
    expect(stream.getSnapshot().connection).toBe('open')
  })

  it('leaves nothing behind when stopped', async () => {
    await connect()
    stream.stop()
    expect(socket().closed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    expect(stream.getSnapshot()).toMatchObject({ connection: 'connecting', retryAt: null })
  })
})
