import { formatBytes, formatInstant, plural } from '../../lib/format'
import { Page } from '../../ui/page'
import { hasRole, useMe } from '../auth/queries'
import { useFilterOptions } from '../filters/queries'
import { useZone } from '../filters/use-view'
import { DropArea } from './drop-area'
import { useUnfinished, useUploadLimit } from './queries'
import { isPartOf, type Unfinished } from './send-resumable'
import { TransferCard } from './transfer-card'
import { UploadHistory } from './upload-history'
import { useReview, useUploadZone } from './use-review'
import { useTransfers } from './use-transfers'

export function UploadsPage() {
  const me = useMe()
  return (
    <Page title="Uploads">
      {hasRole(me, 'operator') && <NewUploads />}
      <UploadHistory />
    </Page>
  )
}

function NewUploads() {
  const { transfers, list } = useTransfers()
  const { site_timezone } = useFilterOptions()
  const [timezone, setTimezone] = useUploadZone()
  const maxBytes = useUploadLimit()
  const [review, setReview] = useReview()
  const { unfinished, forget } = useUnfinished()
  const underWay = list.some((transfer) => transfer.state !== 'taken')
  const ready = list.filter((transfer) => transfer.state === 'review' && transfer.ready)

  const startAll = () => {
    for (const { id } of ready) transfers.go(id)
  }
  const take = (files: File[]) => {
    transfers.add(
      files.map((file) => {
        const begun = unfinished.find((other) => isPartOf(other, file))
        // What was begun was looked at then, and goes on with the zone it had.
        if (begun) return { file, timezone: begun.timezone, zoneChosen: true, review: false }
        if (timezone === null) return { file, timezone: site_timezone, zoneChosen: false, review: true }
        return { file, timezone, zoneChosen: true, review }
      }),
      maxBytes,
    )
  }

  return (
    <>
      <DropArea
        maxBytes={maxBytes}
        timezone={timezone}
        onTimezone={setTimezone}
        review={review}
        onReview={setReview}
        onFiles={take}
      />
      {unfinished.length > 0 && !underWay && <UnfinishedNote unfinished={unfinished} forget={forget} />}
      {ready.length > 1 && (
        <div className="row">
          <button type="button" onClick={startAll}>
            Start all {plural(ready.length, 'upload')}
          </button>
        </div>
      )}
      {list.length > 0 && (
        <ul className="transfers" aria-label="Files of this visit">
          {list.map((transfer) => (
            <TransferCard key={transfer.id} transfer={transfer} />
          ))}
        </ul>
      )}
    </>
  )
}

interface UnfinishedNoteProps {
  unfinished: readonly Unfinished[]
  forget: (key: string) => void
}

/** A page that was closed cannot reach the file by itself: somebody has to choose it again. */
function UnfinishedNote({ unfinished, forget }: UnfinishedNoteProps) {
  const zone = useZone()
  return (
    <section className="panel" aria-label="Unfinished uploads">
      <h2>Unfinished</h2>
      <p className="quiet">Choose the same file again, and it goes on where it stopped.</p>
      <ul className="unfinished">
        {unfinished.map(({ key, fileName, size, begunAt }) => (
          <li key={key}>
            <span>
              <strong className="cell">{fileName}</strong>{' '}
              <span className="quiet">
                {formatBytes(size)}, begun {formatInstant(Date.parse(begunAt), zone)}
              </span>
            </span>
            <button type="button" className="small" onClick={() => forget(key)}>
              Forget
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
