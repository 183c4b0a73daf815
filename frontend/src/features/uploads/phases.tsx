import { useSecond } from '../../hooks/use-clock'
import { formatInstant } from '../../lib/format'
import { PHASES, type Progress } from '../../lib/upload'
import { useZone } from '../filters/use-view'

/** Where a file stands on its way, as steps, a bar and figures; every part keeps its place while they change. */
export function Phases({ progress: { phase, detail, fraction } }: { progress: Progress }) {
  const now = PHASES.findIndex((step) => step.phase === phase)
  return (
    <div className="progress">
      <ol className="phases" aria-label="Phases">
        {PHASES.map((step, index) => (
          <li
            key={step.phase}
            title={step.meaning}
            data-past={index < now || undefined}
            aria-current={index === now ? 'step' : undefined}
          >
            {step.word}
          </li>
        ))}
      </ol>
      <progress aria-label={PHASES[now]?.word} max={1} value={fraction ?? undefined} />
      <p>
        {fraction !== null && <strong>{Math.floor(fraction * 100)}% </strong>}
        <span className="quiet">{detail}</span>
      </p>
    </div>
  )
}

/** Asked or told at least so often, a working connection cannot be older. */
const STALE_MS = 15_000

interface StaleNoteProps {
  /** of the figures on the screen, epoch milliseconds */
  knownAt: number
  failing: boolean
  retryAt: number | null
}

/** Says of figures that stand still that nobody knows better ones at the moment. */
export function StaleNote({ knownAt, failing, retryAt }: StaleNoteProps) {
  const now = useSecond()
  const zone = useZone()
  if (!failing && now - knownAt < STALE_MS) return null
  const wait = retryAt === null ? null : Math.max(0, Math.ceil((retryAt - now) / 1000))
  return (
    <div className="notice notice-warn">
      <p>
        <span role="status">
          No connection to the server: these are the figures of {formatInstant(knownAt, zone, 'seconds')}. The work goes
          on without this page.
        </span>
        {wait !== null && wait > 0 && <span className="quiet"> Next try in {wait} s.</span>}
      </p>
    </div>
  )
}
