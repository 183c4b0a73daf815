import 'uplot/dist/uPlot.min.css'
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import { useTheme } from '../../hooks/use-theme'
import { useWidth } from '../../hooks/use-width'
import type { TimeRange } from '../../lib/time-range'
import { describeStep, describeTimeline, type Step, stepAt, toColumns } from '../../lib/timeline'
import { plotData, plotOptions } from './plot-options'

interface OccupancyChartProps {
  steps: readonly Step[]
  range: TimeRange
  zone: string
  height?: number
  onZoom: (from: number, to: number) => void
}

export function OccupancyChart({ steps, range, zone, height = 260, onZoom }: OccupancyChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const width = useWidth(box)
  const { effective: theme } = useTheme()
  const [pointed, setPointed] = useState<Step | null>(null)
  const [spoken, setSpoken] = useState('')
  const summary = useMemo(() => describeTimeline(steps, zone), [steps, zone])
  const filling = steps.at(-1)?.in_progress ? steps.at(-1) : null

  // The plot outlives many renders: it reads what changes through this.
  const latest = useRef({ steps, range, onZoom, filling })
  latest.current = { steps, range, onZoom, filling }

  const move = useCallback((seconds: number | null) => {
    setPointed(seconds === null ? null : stepAt(latest.current.steps, seconds))
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is read through the style sheet, width and height are followed below.
  useEffect(() => {
    if (!box.current || width === 0) return
    const options = plotOptions({
      width,
      height,
      zone,
      range: () => [latest.current.range.from / 1000, latest.current.range.to / 1000],
      inProgress: () => latest.current.filling ?? null,
      onMove: move,
      onZoom: (from, to) => latest.current.onZoom(from * 1000, to * 1000),
    })
    plot.current = new uPlot(options, plotData(toColumns(latest.current.steps)), box.current)
    return () => {
      plot.current?.destroy()
      plot.current = null
    }
  }, [theme, zone, width === 0, move])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range is read by the plot's own scale.
  useEffect(() => {
    plot.current?.setData(plotData(toColumns(steps)))
  }, [steps, range])

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height })
  }, [width, height])

  const walk = (event: KeyboardEvent) => {
    const index = pointed ? steps.findIndex((step) => step.start === pointed.start) : -1
    const last = steps.length - 1
    const next = { ArrowLeft: index < 0 ? last : index - 1, ArrowRight: index + 1, Home: 0, End: last }[event.key]
    const step = next === undefined ? undefined : steps[Math.min(Math.max(next, 0), last)]
    if (!step || !plot.current) return
    event.preventDefault()
    const left = plot.current.valToPos((step.start + step.end) / 2, 'x')
    plot.current.setCursor({ left, top: 10 })
    setSpoken(describeStep(step, zone))
  }

  return (
    <figure className="chart">
      <figcaption className="visually-hidden">{summary} Use the arrow keys to read single intervals.</figcaption>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: the arrow keys move the chart's cursor. */}
      <div
        ref={box}
        className="plot"
        style={{ height }}
        role="img"
        aria-label={`Occupancy over time. ${summary}`}
        tabIndex={0}
        onKeyDown={walk}
      />
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: as above */}
      <div className="chart-foot">
        <ul className="legend" aria-hidden="true">
          <li className="key key-avg">average</li>
          <li className="key key-peak">peak</li>
          {filling && <li className="key key-progress">in progress</li>}
        </ul>
        <p className="readout">{pointed ? describeStep(pointed, zone) : <span className="quiet">{summary}</span>}</p>
      </div>
      <p className="visually-hidden" aria-live="polite">
        {spoken}
      </p>
    </figure>
  )
}
