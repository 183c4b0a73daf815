import { Link } from '@tanstack/react-router'
import type { Source } from '../../api/types'
import { notLive, standing } from '../../lib/sources'
import { useSources } from './queries'
import { STANDINGS } from './source-state'

function stateWords(source: Source): string {
  const { word } = STANDINGS[standing(source)]
  if (source.stale || source.detail === '') return word
  return source.detail.startsWith(word) ? source.detail : `${word} – ${source.detail}`
}

/** Above figures of now: which source does not add to them at the moment, and in which words it says why. */
export function SourcesBanner() {
  const { data } = useSources()
  if (!data) return null
  const out = notLive(data.items)
  if (out.length === 0) return null
  const bad = out.some((source) => standing(source) === 'failed')
  return (
    <section className={`notice ${bad ? 'notice-bad' : 'notice-warn'}`} aria-label="Sources that are not live">
      <div>
        <p role="status">
          {out.length === 1 ? 'A source is' : `${out.length} of ${data.items.length} sources are`} not live: what the
          cameras see now may be missing here.
        </p>
        <ul className="not-live">
          {out.map((source) => (
            <li key={source.name}>
              <strong>{source.name}</strong>: {stateWords(source)}
            </li>
          ))}
        </ul>
      </div>
      <Link className="button" to="/sources" search={({ tz }) => ({ tz })}>
        Look at the sources
      </Link>
    </section>
  )
}
