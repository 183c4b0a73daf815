import { Page } from '../../ui/page'
import { Panel } from '../../ui/panel'
import { useSources, WATCHED_MS } from './queries'
import { SourceCard } from './source-card'

export function SourcesPage() {
  return (
    <Page title="Sources">
      <Panel
        title="Camera systems"
        result={useSources(WATCHED_MS)}
        height={320}
        isEmpty={({ items }) => items.length === 0}
        empty={<Off />}
      >
        {({ items }) => (
          <ul className="sources" aria-label="Sources">
            {items.map((source) => (
              <SourceCard key={source.name} source={source} />
            ))}
          </ul>
        )}
      </Panel>
    </Page>
  )
}

function Off() {
  return (
    <div className="empty">
      <p>No camera system is connected: whatever is shown comes from uploaded files.</p>
      <p>
        Sources are switched on where the connector is set up, with <code>DWELL_CORSIGHT_SOURCES</code>.
      </p>
    </div>
  )
}
