const FIRST_SECONDS = 1
const LONGEST_SECONDS = 30

/** Seconds to wait before attempt `attempt` (from 0): doubling, capped, and spread so that clients do not return all at once. */
export function backoffSeconds(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** attempt)
  return ceiling / 2 + (random() * ceiling) / 2
}
