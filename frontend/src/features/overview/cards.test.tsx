import { render, screen, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { aSummary } from '../../test/samples'
import { Card } from './card'
import { CARDS } from './cards'

function show(title: string, summary = aSummary()) {
  const spec = CARDS.find((card) => card.title === title)
  if (!spec) throw new Error(`no card ${title}`)
  render(<Card spec={spec} summary={summary} zone="Asia/Jakarta" />)
  return screen.getByRole('article', { name: title })
}

const values = (card: HTMLElement) =>
  [...card.querySelectorAll('[data-value]')].map((node) => node.getAttribute('data-value'))

describe('a card', () => {
  it('shows the number, how many of them are anonymous, and the raw values for machines', () => {
    const card = show('Visitors')
    expect(card).toHaveTextContent('1,203')
    expect(card).toHaveTextContent('171 anonymous')
    expect(values(card)).toEqual(['1203', '171'])
  })

  it('shows the median before p95 and average', () => {
    expect(show('Median dwell')).toHaveTextContent(/1 m 15 s.*p95 8 m 40 s.*average 2 m 22 s/)
  })

  it('shows the peak hour in the zone asked for', () => {
    expect(show('Peak hour')).toHaveTextContent('20 Nov, 17:00')
  })

  it('says in words how it changed', () => {
    const compare = { visits: { previous: 1300, ratio: -0.01 }, sessions: { previous: 3903, ratio: 0 } }
    expect(show('Visits', aSummary({ compare }))).toHaveTextContent('▼ down 1% from 1,300')
  })

  it('has a dash and not a nought where there is nothing to measure', () => {
    const card = show('Median dwell', aSummary({ dwell_median_seconds: null }))
    expect(within(card).getAllByText('–')).toHaveLength(1)
  })

  it('tells how it is counted', () => {
    expect(within(show('Visits')).getByText(/person, store and local day/)).toBeInTheDocument()
  })
})
