import { useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { api, unwrap } from '../../api/client'
import type { OccupancyTimeline } from '../../api/types'
import { bucketFor } from '../../lib/time-range'
import { toSteps } from '../../lib/timeline'
import { following, useFirstInstant } from '../filters/queries'
import type { View } from '../filters/use-view'

export function useOccupancyTimeline({ key, query, range }: View) {
  const bucket = bucketFor(range)
  const since = useFirstInstant()
  const toKnownSteps = useCallback(
    (timeline: OccupancyTimeline) => toSteps(timeline.points, timeline.bucket_seconds, since / 1000, Date.now() / 1000),
    [since],
  )
  return useQuery({
    queryKey: ['occupancy', key],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/analytics/occupancy/timeline', { params: { query: { ...query, bucket } }, signal })),
    select: toKnownSteps,
    ...following,
  })
}
