import { useEffect } from 'react'
import { Failure } from '../../ui/panel'
import { FilePreview } from './file-preview'
import { usePreview } from './queries'
import type { Transfer } from './transfers'
import { useTransfers } from './use-transfers'
import { ZoneField } from './zone-field'
import { ZoneQuestion } from './zone-question'

/** A file before it goes: what will be read out of it, and with which zone. */
export function Review({ transfer: { id, file, timezone, zoneChosen, ready } }: { transfer: Transfer }) {
  const { transfers } = useTransfers()
  const { data, error, isFetching, refetch } = usePreview(file, timezone)
  const asks = data?.zone_matters === true && data.refusal === null && !zoneChosen
  // Of a file that could not be looked at nobody knows whether its zone matters.
  const canGo = data ? data.refusal === null && !asks : error !== null && zoneChosen
  const setTimezone = (zone: string) => transfers.setTimezone(id, zone)
  useEffect(() => transfers.setReady(id, canGo), [transfers, id, canGo])

  return (
    <div className="review" aria-busy={isFetching}>
      {data === undefined && error === null && <div className="skeleton" style={{ minHeight: 200 }} />}
      {error && <Failure error={error} retry={refetch} />}
      {data && <FilePreview preview={data} fileName={file.name} />}
      {data && asks && <ZoneQuestion preview={data} fileName={file.name} guess={timezone} onChoose={setTimezone} />}
      <div className="review-foot">
        {!asks && data?.zone_matters !== false && (
          <ZoneField
            label="Zone of times that name none"
            none={zoneChosen ? undefined : 'Choose…'}
            value={zoneChosen ? timezone : ''}
            onChange={(zone) => zone && setTimezone(zone)}
          />
        )}
        <button type="button" className="primary" disabled={!ready} onClick={() => transfers.go(id)}>
          Start upload
        </button>
        {error && (
          <span className="quiet">It can be sent without a preview{!zoneChosen && ', once its zone is chosen'}.</span>
        )}
        {data?.zone_matters === false && <span className="quiet">Its times need no zone.</span>}
      </div>
    </div>
  )
}
