import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { anUpload } from '../../test/samples'
import { type EventHandlers, ProgressStreams } from './progress-streams'

interface Opened {
  id: string
  on: EventHandlers
  closed: boolean
}

function streams() {
  const opened: Opened[] = []
  const onUpload = vi.fn()
  const onLost = vi.fn()
  const under = new ProgressStreams({
    open: (id, on) => {
      const connection: Opened = { id, on, closed: false }
      opened.push(connection)
      return {
        close: () => {
          connection.closed = true
        },
      }
    },
    onUpload,
    onLost,
    random: () => 0,
  })
  return { under, opened, onUpload, onLost, ids: () => opened.filter(({ closed }) => !closed).map(({ id }) => id) }
}

const processing = (upload_id: string) =>
  JSON.stringify(anUpload({ upload_id, status: 'processing', phase: 'parsing' }))

describe('ProgressStreams', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('hands on what the server tells, and ends when there is no more to tell', () => {
    const { under, opened, onUpload, ids } = streams()
    under.watch('a')
    opened[0]?.on.message(processing('a'))
    expect(onUpload).toHaveBeenCalledWith(expect.objectContaining({ upload_id: 'a', status: 'processing' }))
    expect(under.isOpen('a')).toBe(true)
    opened[0]?.on.message(JSON.stringify(anUpload({ upload_id: 'a' })))
    expect(ids()).toEqual([])
    expect(under.isOpen('a')).toBe(false)
  })

  it('drops what it cannot read', () => {
    const { under, opened, onUpload } = streams()
    under.watch('a')
    opened[0]?.on.message('<html>')
    opened[0]?.on.message('[1]')
    expect(onUpload).not.toHaveBeenCalled()
  })

  it('comes back after a break, later each time, and asks meanwhile', () => {
    const { under, opened, onLost, ids } = streams()
    under.watch('a')
    opened[0]?.on.error()
    expect(onLost).toHaveBeenCalledWith('a')
    expect(under.isOpen('a')).toBe(false)
    expect(under.retryAt('a')).toBe(500)
    vi.advanceTimersByTime(500)
    expect(ids()).toEqual(['a'])
    opened[1]?.on.error()
    expect(under.retryAt('a')).toBe(1500)
    vi.advanceTimersByTime(1000)
    opened[2]?.on.message(processing('a'))
    expect(under.retryAt('a')).toBeNull()
    opened[2]?.on.error()
    expect(under.retryAt('a')).toBe(2000)
  })

  it('leaves connections to the rest of the page, and passes them on', () => {
    const { under, opened, ids } = streams()
    const releaseA = under.watch('a')
    for (const id of ['b', 'c', 'd', 'e']) under.watch(id)
    expect(ids()).toEqual(['a', 'b', 'c'])
    releaseA()
    expect(ids()).toEqual(['b', 'c', 'd'])
    opened.find(({ id }) => id === 'b')?.on.message(JSON.stringify(anUpload({ upload_id: 'b' })))
    expect(ids()).toEqual(['c', 'd', 'e'])
  })

  it('shares one connection among those that watch the same upload', () => {
    const { under, ids, opened } = streams()
    const one = under.watch('a')
    const two = under.watch('a')
    expect(opened).toHaveLength(1)
    one()
    expect(ids()).toEqual(['a'])
    two()
    expect(ids()).toEqual([])
  })
})
