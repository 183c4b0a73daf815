import uPlot from 'uplot'
import { formatInstant } from '../../lib/format'
import type { TimelineColumns } from '../../lib/timeline'

/** Fixed, so that what lies under the chart can share its time axis. */
export const PLOT_LEFT = 44
export const PLOT_RIGHT = 22

export type PlotData = [number[], ...(number | null)[][]]

interface PlotSettings {
  width: number
  height: number
  zone: string
  /** epoch seconds */
  range: () => [number, number]
  inProgress: () => { start: number; end: number } | null
  onMove: (seconds: number | null) => void
  onZoom: (from: number, to: number) => void
}

const DAY = 86_400
const SHORTEST_ZOOM_PX = 12

export function plotData(columns: TimelineColumns): PlotData {
  return [columns.x, columns.peak, columns.avg, columns.peakInProgress, columns.avgInProgress]
}

/** A canvas cannot read the style sheet's variables: this looks up what they are now. */
function colour(name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(--${name})`
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}

function steps(): uPlot.Series.PathBuilder {
  const builder = uPlot.paths.stepped?.({ align: 1 })
  if (!builder) throw new Error('this build of uPlot has no steps')
  return builder
}

function timeLabels(splits: number[], increment: number, zone: string): string[] {
  let dayBefore = ''
  return splits.map((split) => {
    const [day = '', time = ''] = formatInstant(split * 1000, zone).split(', ')
    if (increment >= DAY) return day
    const label = day === dayBefore ? time : `${time}\n${day}`
    dayBefore = day
    return label
  })
}

export function plotOptions(settings: PlotSettings): uPlot.Options {
  const avg = colour('chart-avg')
  const peak = colour('chart-peak')
  const text = colour('quiet')
  const line = colour('line')
  const shade = colour('chart-progress')
  const filled = colour('chart-avg-fill')
  const dashed = { dash: [4, 3], points: { show: false }, paths: steps() }

  return {
    width: settings.width,
    height: settings.height,
    padding: [10, PLOT_RIGHT, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), settings.zone),
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { time: true, range: () => settings.range() },
      y: { range: (_, __, max) => [0, Math.max(4, Math.ceil((max ?? 0) * 1.1))] },
    },
    axes: [
      {
        stroke: text,
        grid: { stroke: line, width: 1 },
        ticks: { stroke: line, width: 1, size: 4 },
        font: '12px system-ui, sans-serif',
        space: 64,
        size: 44,
        values: (_, splits, __, ___, increment) => timeLabels(splits, increment, settings.zone),
      },
      {
        stroke: text,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        font: '12px system-ui, sans-serif',
        size: PLOT_LEFT,
        space: 28,
        // People come whole: no line at 2.5.
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
        values: (_, splits) => splits.map((split) => String(split)),
      },
    ],
    series: [
      {},
      { stroke: peak, width: 1.25, points: { show: false }, paths: steps() },
      { stroke: avg, fill: filled, width: 1.75, points: { show: false }, paths: steps() },
      { stroke: peak, width: 1.25, ...dashed },
      { stroke: avg, width: 1.75, ...dashed },
    ],
    hooks: {
      drawClear: [
        (plot) => {
          const filling = settings.inProgress()
          if (!filling) return
          const [, rangeEnd] = settings.range()
          const left = plot.valToPos(filling.start, 'x', true)
          const right = plot.valToPos(Math.min(filling.end, rangeEnd), 'x', true)
          plot.ctx.fillStyle = shade
          plot.ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 2), plot.bbox.height)
        },
      ],
      setCursor: [
        (plot) => {
          const left = plot.cursor.left ?? -1
          settings.onMove(left < 0 ? null : plot.posToVal(left, 'x'))
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < SHORTEST_ZOOM_PX) return
          settings.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}
