import { useRef } from 'react'
import type { DwellHistogram } from '../../api/types'
import { useWidth } from '../../hooks/use-width'
import { formatCount, formatDuration, formatShare } from '../../lib/format'
import { binLabel, positionInBins } from '../../lib/histogram'
import { DataTable } from '../../ui/data-table'
import { ScrollBox } from '../../ui/scroll-box'

const HEIGHT = 240
const TOP = 34
const BOTTOM = 24
const LABEL_PX = 52

export function DwellHistogramChart({ histogram }: { histogram: DwellHistogram }) {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const { bins } = histogram
  const most = Math.max(1, ...bins.map((bin) => bin.sessions))
  const step = bins.length > 0 ? width / bins.length : 0
  const every = Math.max(1, Math.ceil(LABEL_PX / Math.max(step, 1)))
  const plotHeight = HEIGHT - TOP - BOTTOM
  const median = histogram.dwell_median_seconds
  const p95 = histogram.dwell_p95_seconds
  const summary = `${formatCount(histogram.sessions)} sessions: half of them shorter than ${formatDuration(median)}, 95 of 100 shorter than ${formatDuration(p95)}.`

  return (
    <figure className="chart">
      <div ref={box} style={{ height: HEIGHT }}>
        <svg width={width} height={HEIGHT} role="img" aria-label={`Distribution of dwell. ${summary}`}>
          {bins.map((bin, index) => {
            const height = (bin.sessions / most) * plotHeight
            return (
              <g key={bin.from_seconds}>
                <title>{`${binLabel(bin)}: ${formatCount(bin.sessions)} sessions, ${formatShare(bin.sessions, histogram.sessions)}`}</title>
                <rect className="hover-band" x={index * step} y={TOP} width={step} height={plotHeight} />
                <rect
                  className={bin.to_seconds === null ? 'bar bar-overflow' : 'bar'}
                  x={index * step + 1}
                  y={TOP + plotHeight - height}
                  width={Math.max(step - 2, 1)}
                  height={height}
                />
                {index % every === 0 && (
                  <text className="tick" x={index * step + 2} y={HEIGHT - 6}>
                    {formatDuration(bin.from_seconds)}
                    {bin.to_seconds === null && '+'}
                  </text>
                )}
              </g>
            )
          })}
          <line className="axis" x1={0} x2={width} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
          <Marker name="median" seconds={median} histogram={histogram} step={step} width={width} y={12} />
          <Marker name="p95" seconds={p95} histogram={histogram} step={step} width={width} y={27} />
        </svg>
      </div>
      <figcaption className="quiet">{summary}</figcaption>
    </figure>
  )
}

interface MarkerProps {
  name: string
  seconds: number | null
  histogram: DwellHistogram
  step: number
  width: number
  y: number
}

function Marker({ name, seconds, histogram, step, width, y }: MarkerProps) {
  const position = seconds === null ? null : positionInBins(histogram.bins, seconds)
  if (position === null) return null
  const x = position * step
  const onLeft = x > width * 0.7
  return (
    <g className="marker">
      <line x1={x} x2={x} y1={y - 8} y2={HEIGHT - BOTTOM} />
      <text x={onLeft ? x - 5 : x + 5} y={y} textAnchor={onLeft ? 'end' : 'start'}>
        {name} {formatDuration(seconds)}
      </text>
    </g>
  )
}

export function DwellHistogramTable({ histogram }: { histogram: DwellHistogram }) {
  return (
    <ScrollBox label="Dwell, table">
      <DataTable
        caption="Distribution of dwell"
        rows={histogram.bins}
        rowKey={(bin) => String(bin.from_seconds)}
        columns={[
          { header: 'Dwell', cell: binLabel },
          { header: 'Sessions', numeric: true, cell: (bin) => formatCount(bin.sessions) },
          { header: 'Share', numeric: true, cell: (bin) => formatShare(bin.sessions, histogram.sessions) },
        ]}
      />
    </ScrollBox>
  )
}
