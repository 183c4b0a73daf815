import { useSearch } from '@tanstack/react-router'
import { useSetSearch } from '../../hooks/use-set-search'
import { formatInstant } from '../../lib/format'
import { Page } from '../../ui/page'
import { Panel } from '../../ui/panel'
import { TableToggle, useTableView } from '../../ui/table-toggle'
import { Empty } from '../filters/empty'
import { FilterBar } from '../filters/filter-bar'
import { useFilterOptions } from '../filters/queries'
import { useView, useZoom } from '../filters/use-view'
import { OccupancyChart } from '../occupancy/occupancy-chart'
import { OccupancyTable } from '../occupancy/occupancy-table'
import { useOccupancyTimeline } from '../occupancy/queries'
import { SourcesBanner } from '../sources/sources-banner'
import { Card } from './card'
import { CARDS } from './cards'
import { DemographicsChart, DemographicsTable } from './demographics'
import { DwellHistogramChart, DwellHistogramTable } from './dwell-histogram'
import { useDemographics, useDwellHistogram, useSummary } from './queries'

export function OverviewPage() {
  const { first_day } = useFilterOptions()
  return (
    <Page title="Overview">
      <SourcesBanner />
      {first_day ? (
        <>
          <FilterBar>
            <CompareToggle />
          </FilterBar>
          <Cards />
          <OccupancyPanel />
          <div className="columns">
            <DwellPanel />
            <DemographicsPanel />
          </div>
        </>
      ) : (
        <Empty />
      )}
    </Page>
  )
}

function CompareToggle() {
  const { compare } = useSearch({ from: '/shell/overview' })
  const setSearch = useSetSearch()
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={compare === 'previous'}
        onChange={(event) => setSearch({ compare: event.target.checked ? 'previous' : undefined })}
      />
      Compare with the period before
    </label>
  )
}

function Cards() {
  const view = useView()
  const { compare } = useSearch({ from: '/shell/overview' })
  return (
    <Panel title="Key figures" result={useSummary(view, compare)} height={190}>
      {(summary) => (
        <>
          <div className="cards">
            {CARDS.map((spec) => (
              <Card key={spec.title} spec={spec} summary={summary} zone={view.zone} />
            ))}
          </div>
          <p className="quiet as-of">
            Data as of{' '}
            <time dateTime={summary.data_as_of ?? ''}>{formatInstant(summary.data_as_of, view.zone, 'full')}</time>
          </p>
        </>
      )}
    </Panel>
  )
}

function OccupancyPanel() {
  const view = useView()
  const { range, zone } = view
  const zoom = useZoom()
  const [isTable, toggle] = useTableView('occupancy')
  return (
    <Panel
      title="Occupancy over time"
      result={useOccupancyTimeline(view)}
      height={310}
      isEmpty={(steps) => steps.length === 0}
      empty={<Empty />}
      actions={<TableToggle isTable={isTable} onToggle={toggle} />}
    >
      {(steps) =>
        isTable ? (
          <OccupancyTable steps={steps} zone={zone} />
        ) : (
          <OccupancyChart steps={steps} range={range} zone={zone} onZoom={zoom} />
        )
      }
    </Panel>
  )
}

function DwellPanel() {
  const view = useView()
  const [isTable, toggle] = useTableView('dwell')
  return (
    <Panel
      title="Dwell"
      result={useDwellHistogram(view)}
      height={270}
      isEmpty={(histogram) => histogram.sessions === 0}
      empty={<Empty />}
      actions={<TableToggle isTable={isTable} onToggle={toggle} />}
    >
      {(histogram) =>
        isTable ? <DwellHistogramTable histogram={histogram} /> : <DwellHistogramChart histogram={histogram} />
      }
    </Panel>
  )
}

function DemographicsPanel() {
  const view = useView()
  const [isTable, toggle] = useTableView('demographics')
  return (
    <Panel
      title="Demographics"
      result={useDemographics(view)}
      height={270}
      isEmpty={(demographics) => demographics.sessions === 0}
      empty={<Empty />}
      actions={<TableToggle isTable={isTable} onToggle={toggle} />}
    >
      {({ groups }) => (isTable ? <DemographicsTable groups={groups} /> : <DemographicsChart groups={groups} />)}
    </Panel>
  )
}
