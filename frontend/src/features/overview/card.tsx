import type { Summary } from '../../api/types'
import { describeChange } from '../../lib/change'
import { Icon } from '../../ui/icon'
import { Popover } from '../../ui/popover'
import { type CardSpec, changeOf, type Figure, type Metric, showMetric } from './cards'

interface CardProps {
  spec: CardSpec
  summary: Summary
  zone: string
}

export function Card({ spec, summary, zone }: CardProps) {
  return (
    <article className={spec.more.length > 1 ? 'card card-wide' : 'card'} aria-label={spec.title}>
      <header>
        <h3>{spec.title}</h3>
        <Popover label={<Icon name="info" />} name={`How ${spec.title} is counted`} className="info">
          <p>{spec.formula}</p>
        </Popover>
      </header>
      <p className="card-value">
        <Value figure={spec.main} summary={summary} zone={zone} />
      </p>
      <Delta metric={spec.main.metric} summary={summary} zone={zone} />
      {spec.more.map((figure) => (
        <p key={figure.metric} className="card-more">
          {figure.before} <Value figure={figure} summary={summary} zone={zone} /> {figure.after}
          <Delta metric={figure.metric} summary={summary} zone={zone} />
        </p>
      ))}
    </article>
  )
}

interface FigureProps {
  figure: Figure
  summary: Summary
  zone: string
}

function Value({ figure, summary, zone }: FigureProps) {
  const value = summary[figure.metric]
  return (
    <data value={value ?? ''} data-metric={figure.metric} data-value={value ?? ''}>
      {showMetric(figure.metric, value, zone)}
    </data>
  )
}

function Delta({ metric, summary, zone }: { metric: Metric; summary: Summary; zone: string }) {
  const change = changeOf(summary, metric)
  if (!change) return null
  const { arrow, words, direction } = describeChange(change, (previous) => showMetric(metric, previous, zone))
  return (
    <span className={`delta delta-${direction}`}>
      <span aria-hidden="true">{arrow}</span> {words}
    </span>
  )
}
