import type { HistogramBin } from '../api/types'
import { formatDuration } from './format'

export function binLabel(bin: HistogramBin): string {
  if (bin.to_seconds === null) return `${formatDuration(bin.from_seconds)} and longer`
  return `${formatDuration(bin.from_seconds)} – ${formatDuration(bin.to_seconds)}`
}

/**
 * Where `seconds` lies along bins that are drawn equally wide, in bins from the left. Inside the overflow bin,
 * which has no end, nothing is told but that it lies there.
 */
export function positionInBins(bins: readonly HistogramBin[], seconds: number): number | null {
  const index = bins.findIndex(
    (bin) => bin.from_seconds <= seconds && (bin.to_seconds === null || seconds < bin.to_seconds),
  )
  const bin = bins[index]
  if (!bin) return null
  if (bin.to_seconds === null) return index + 0.5
  return index + (seconds - bin.from_seconds) / (bin.to_seconds - bin.from_seconds)
}
