import type { Standing } from '../../lib/sources'
import { Icon, type IconName } from '../../ui/icon'

export const STANDINGS: Record<Standing, { word: string; tone: string; icon: IconName }> = {
  starting: { word: 'starting', tone: '', icon: 'clock' },
  live: { word: 'live', tone: 'badge-good', icon: 'check' },
  catching_up: { word: 'catching up', tone: 'badge-accent', icon: 'forward' },
  retrying: { word: 'trying again', tone: 'badge-warn', icon: 'retry' },
  paused: { word: 'paused', tone: '', icon: 'pause' },
  failed: { word: 'failed', tone: 'badge-bad', icon: 'close' },
  silent: { word: 'no word from it', tone: 'badge-warn', icon: 'unknown' },
}

/** Told by shape, word and colour. */
export function SourceState({ standing }: { standing: Standing }) {
  const { word, tone, icon } = STANDINGS[standing]
  return (
    <span className={`badge badge-state ${tone}`}>
      <Icon name={icon} /> {word}
    </span>
  )
}
