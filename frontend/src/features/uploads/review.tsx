import { Failure } from '../../ui/panel'
import { FilePreview } from './file-preview'
import { usePreview } from './queries'
import type { Transfer } from './transfers'
import { useTransfers } from './use-transfers'
import { ZoneField } from './zone-field'

/** A file before it goes: what will be read out of it, and with which zone. */
export function Review({ transfer: { id, file, timezone } }: { transfer: Transfer }) {
  const { transfers } = useTransfers()
  const { data, error, isFetching, refetch } = usePreview(file, timezone)
  return (
    <div className="review" aria-busy={isFetching}>
      {data === undefined && error === null && <div className="skeleton" style={{ minHeight: 200 }} />}
      {error && <Failure error={error} retry={refetch} />}
      {data && <FilePreview preview={data} fileName={file.name} />}
      <div className="review-foot">
        <ZoneField
          label="Zone of times that name none"
          value={timezone}
          onChange={(zone) => transfers.setTimezone(id, zone)}
        />
        <button
          type="button"
          className="primary"
          disabled={(data?.refusal ?? null) !== null || (data === undefined && error === null)}
          onClick={() => transfers.go(id)}
        >
          Start upload
        </button>
        {error && <span className="quiet">It can be sent without a preview.</span>}
      </div>
    </div>
  )
}
