import { formatShare } from './format'

export interface Change {
  direction: 'up' | 'down' | 'same' | 'unknown'
  arrow: string
  words: string
}

/** A change against the previous period as an arrow and words, so that colour never has to tell it. */
export function describeChange(
  change: { previous: number | null; ratio: number | null },
  show: (value: number) => string,
): Change {
  if (change.previous === null) return { direction: 'unknown', arrow: '', words: 'no earlier data' }
  const from = `from ${show(change.previous)}`
  if (change.ratio === null) return { direction: 'unknown', arrow: '', words: from }
  if (Math.abs(change.ratio) < 0.0005) return { direction: 'same', arrow: '→', words: `unchanged ${from}` }
  const size = formatShare(Math.abs(change.ratio), 1)
  return change.ratio > 0
    ? { direction: 'up', arrow: '▲', words: `up ${size} ${from}` }
    : { direction: 'down', arrow: '▼', words: `down ${size} ${from}` }
}
