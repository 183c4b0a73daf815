import { plural } from './format'

const LEAST_HOURS = 8
const NOTICEABLE = 0.3

/** What a correlation of so many hours says, never more than it can. */
export function describeCorrelation(r: number | null, n: number): { headline: string; meaning: string } {
  if (r === null) {
    return n < LEAST_HOURS
      ? {
          headline: `Not enough overlap (n = ${n})`,
          meaning: `A number needs at least ${LEAST_HOURS} hours that have occupancy or insights.`,
        }
      : {
          headline: `No number (n = ${n})`,
          meaning: 'Insights or occupancy are the same in every hour, so nothing can vary together.',
        }
  }
  const meaning =
    r >= NOTICEABLE
      ? 'Fuller hours tend to have more insights.'
      : r <= -NOTICEABLE
        ? 'Fuller hours tend to have fewer insights.'
        : 'Fuller hours have about as many insights as others.'
  return { headline: `r = ${r.toFixed(2).replace('-', '−')}, n = ${plural(n, 'hour')}`, meaning }
}
