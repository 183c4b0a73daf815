import { describe, expect, it } from 'vitest'
import { type FreshnessInput, freshness } from './freshness'

const now = Date.parse('2025-11-21T10:00:00Z')
const ago = (seconds: number) => now - seconds * 1000

const open: FreshnessInput = {
  now,
  connection: 'open',
  lastFrameAt: ago(3),
  retryAt: null,
  sourceHeartbeat: ago(4),
  newestEvent: ago(8),
  zone: 'Asia/Jakarta',
}

describe('freshness', () => {
  it.each<[string, Partial<FreshnessInput>, string, string]>([
    ['socket open and source heard', {}, 'live', 'Live: newest event 8 s ago'],
    ['source alive though nobody passes', { newestEvent: ago(900) }, 'live', 'Live: newest event 15 min ago'],
    ['source silent, event recent', { sourceHeartbeat: null }, 'live', 'Live: newest event 8 s ago'],
    ['source silent for minutes', { sourceHeartbeat: ago(240), newestEvent: ago(250) }, 'delayed', 'Delayed: 4 min'],
    ['source silent for long', { sourceHeartbeat: ago(3600), newestEvent: ago(3600) }, 'stale', 'Stale: since 16:00'],
    [
      'source silent since yesterday',
      { sourceHeartbeat: null, newestEvent: ago(86_400) },
      'stale',
      'Stale: since 20 Nov, 17:00',
    ],
    ['no source ever', { sourceHeartbeat: null, newestEvent: null }, 'stale', 'No live source: '],
    ['not connected yet', { connection: 'connecting', lastFrameAt: null }, 'connecting', 'Connecting: data to 16:59'],
    [
      'waiting to reconnect',
      { connection: 'waiting', retryAt: now + 7200 },
      'offline',
      'Offline: data to 16:59, reconnecting in 8 s',
    ],
    ['open but mute', { lastFrameAt: ago(30) }, 'offline', 'Offline: data to 16:59, no answer from the server'],
  ])('%s', (_, change, state, text) => {
    const said = freshness({ ...open, ...change })
    expect([said.state, `${said.word}: ${said.detail}`]).toEqual([state, text])
  })
})
