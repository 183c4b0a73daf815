import { useState } from 'react'

const STORAGE_KEY = 'dwell-preview'

function stored(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) !== 'off'
  } catch {
    return true
  }
}

/** Whether files are shown before they go; somebody who sends the same export every day may do without. */
export function useReview(): [boolean, (review: boolean) => void] {
  const [review, setReview] = useState(stored)
  const choose = (next: boolean) => {
    setReview(next)
    try {
      localStorage.setItem(STORAGE_KEY, next ? 'on' : 'off')
    } catch {
      // Storage is closed in some private modes: the choice then lasts as long as the page.
    }
  }
  return [review, choose]
}
