import { useState } from 'react'
import { isTimeZone } from '../../lib/zone'
import { useFilterOptions } from '../filters/queries'

const PREVIEW_KEY = 'dwell-preview'
const ZONE_KEY = 'dwell-zone'

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Storage is closed in some private modes: the choice then lasts as long as the page.
  }
}

/** Whether files are shown before they go; somebody who sends the same export every day may do without. */
export function useReview(): [boolean, (review: boolean) => void] {
  const [review, setReview] = useState(() => stored(PREVIEW_KEY) !== 'off')
  const choose = (next: boolean) => {
    setReview(next)
    store(PREVIEW_KEY, next ? 'on' : 'off')
  }
  return [review, choose]
}

/**
 * The zone of times that name none, for every file; null: each file that has such times is asked about. Where the site
 * itself goes by UTC there is nothing to ask.
 */
export function useUploadZone(): [string | null, (zone: string | null) => void] {
  const { site_timezone } = useFilterOptions()
  const [zone, setZone] = useState(() => {
    const before = stored(ZONE_KEY)
    if (before && isTimeZone(before)) return before
    return site_timezone === 'UTC' ? 'UTC' : null
  })
  const choose = (next: string | null) => {
    setZone(next)
    store(ZONE_KEY, next ?? '')
  }
  return [zone, choose]
}
