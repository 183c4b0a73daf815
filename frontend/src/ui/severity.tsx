import { severityLevel } from '../lib/alerts'

const MARKS = { high: '▲', medium: '◆', low: '●' } as const

/** Told three times, by shape, word and colour. */
export function Severity({ severity }: { severity: string }) {
  const level = severityLevel(severity)
  return (
    <span className={`severity severity-${level ?? 'low'}`}>
      <span aria-hidden="true">{MARKS[level ?? 'low']}</span> {severity}
    </span>
  )
}
