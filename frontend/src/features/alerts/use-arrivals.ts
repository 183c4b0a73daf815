import { useEffect, useRef, useState } from 'react'
import { type StreamedAlert, summariseArrivals } from '../../lib/alerts'

const QUIET_MS = 10_000

/** A sentence about what has arrived, spoken at most every ten seconds. */
export function useArrivals(streamed: ReadonlyMap<string, StreamedAlert>): string {
  const [sentence, setSentence] = useState('')
  const told = useRef(new Set(streamed.keys()))
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const latest = useRef(streamed)
  latest.current = streamed

  useEffect(() => {
    const tell = () => {
      timer.current = undefined
      const arrived = [...latest.current.values()].filter((alert) => !told.current.has(alert.alert_id))
      if (arrived.length === 0) return
      told.current = new Set(latest.current.keys())
      setSentence(summariseArrivals(arrived))
      timer.current = setTimeout(tell, QUIET_MS)
    }
    if (timer.current === undefined && streamed.size > 0) tell()
  }, [streamed])

  useEffect(() => () => clearTimeout(timer.current), [])
  return sentence
}
