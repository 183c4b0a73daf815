import { useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { MergedInsight } from '../../api/types'
import { useSetSearch } from '../../hooks/use-set-search'
import { describeCorrelation } from '../../lib/correlation'
import { formatAge, formatCount, formatDecimal, formatInstant } from '../../lib/format'
import { DataTable } from '../../ui/data-table'
import { Page } from '../../ui/page'
import { PageLinks } from '../../ui/page-links'
import { Panel } from '../../ui/panel'
import { ScrollBox } from '../../ui/scroll-box'
import { TableToggle, useTableView } from '../../ui/table-toggle'
import { Empty } from '../filters/empty'
import { FilterBar } from '../filters/filter-bar'
import { useView, useZoom } from '../filters/use-view'
import { OccupancyChart } from '../occupancy/occupancy-chart'
import { OccupancyTable } from '../occupancy/occupancy-table'
import { useOccupancyTimeline } from '../occupancy/queries'
import { InsightLanes } from './insight-lanes'
import { InsightTable } from './insight-table'
import { useCorrelation, useInsightHours, useInsights } from './queries'

export function InsightsPage() {
  return (
    <Page title="Insights">
      <FilterBar />
      <TimelinePanel />
      <CorrelationPanel />
      <ListPanel />
    </Page>
  )
}

function useChosenInsights() {
  const view = useView()
  const { cursor, sel } = useSearch({ from: '/shell/insights' })
  return { result: useInsights(view, cursor), cursor, selected: sel }
}

function TimelinePanel() {
  const view = useView()
  const { range, zone } = view
  const zoom = useZoom()
  const setSearch = useSetSearch()
  const [isTable, toggle] = useTableView('occupancy')
  const { result: insights, selected } = useChosenInsights()
  const items = insights.data?.items ?? []
  const total = insights.data?.total ?? 0

  return (
    <Panel
      title="Occupancy and insights"
      result={useOccupancyTimeline(view)}
      height={360}
      isEmpty={(steps) => steps.length === 0 && items.length === 0}
      empty={<Empty />}
      actions={<TableToggle isTable={isTable} onToggle={toggle} />}
    >
      {(steps) =>
        isTable ? (
          <OccupancyTable steps={steps} zone={zone} />
        ) : (
          <>
            <OccupancyChart steps={steps} range={range} zone={zone} height={220} onZoom={zoom} />
            <InsightLanes
              insights={items}
              range={range}
              zone={zone}
              selected={selected}
              onSelect={(sel) => setSearch({ sel })}
            />
            {total > items.length && (
              <p className="quiet">
                {formatCount(items.length)} of {formatCount(total)} insights are drawn; narrow the range to see all.
              </p>
            )}
          </>
        )
      }
    </Panel>
  )
}

function CorrelationPanel() {
  const view = useView()
  const [isTable, toggle] = useTableView('hours')
  const hours = useInsightHours(view, isTable)
  // The hours that the number is made of; in the others there was nothing to compare.
  const counted = hours.data?.points.filter((hour) => hour.insights > 0 || hour.occupancy_avg > 0) ?? []
  return (
    <Panel
      title="Do insights follow occupancy?"
      result={useCorrelation(view)}
      height={70}
      actions={<TableToggle isTable={isTable} onToggle={toggle} />}
    >
      {({ pearson_r, n }) => {
        const { headline, meaning } = describeCorrelation(pearson_r, n)
        return (
          <>
            <p>
              <data className="headline" value={pearson_r ?? ''} data-metric="pearson_r" data-value={pearson_r ?? ''}>
                {headline}
              </data>{' '}
              {meaning}
            </p>
            <p className="quiet">
              Pearson correlation between the number of insights and the mean occupancy of each hour. It does not say
              that one causes the other.
            </p>
            {isTable && (
              <ScrollBox label="Insights by hour, table">
                <DataTable
                  caption="Insights and mean occupancy by hour"
                  rows={counted}
                  rowKey={(hour) => hour.hour}
                  columns={[
                    { header: 'Hour', cell: (hour) => formatInstant(hour.hour, view.zone) },
                    { header: 'Insights', numeric: true, cell: (hour) => formatCount(hour.insights) },
                    { header: 'Mean occupancy', numeric: true, cell: (hour) => formatDecimal(hour.occupancy_avg) },
                  ]}
                />
              </ScrollBox>
            )}
          </>
        )
      }}
    </Panel>
  )
}

/** The window is a setting of the server: said as it was applied. */
function WindowNote({ insight }: { insight: MergedInsight | undefined }) {
  if (!insight) return null
  const before = (Date.parse(insight.started_at) - Date.parse(insight.window_started_at)) / 1000
  return (
    <p className="quiet">
      Peak, average and sessions are those of the event’s camera from {formatAge(before)} before the event to as long
      after it.
    </p>
  )
}

function ListPanel() {
  const { zone } = useView()
  const { result, cursor, selected } = useChosenInsights()

  useEffect(() => {
    if (selected) document.getElementById(`row-${selected}`)?.scrollIntoView({ block: 'center' })
  }, [selected])

  return (
    <Panel
      title={result.data ? `${formatCount(result.data.total)} insights` : 'Insights'}
      result={result}
      height={400}
      isEmpty={(page) => page.items.length === 0 && !cursor}
      empty={<Empty />}
    >
      {(page) => (
        <>
          <WindowNote insight={page.items[0]} />
          <InsightTable insights={page.items} zone={zone} selected={selected} />
          {(page.next_cursor || cursor) && <PageLinks cursor={cursor} next={page.next_cursor} />}
        </>
      )}
    </Panel>
  )
}
