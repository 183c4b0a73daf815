import { useState } from 'react'
import { Page } from '../../ui/page'
import { hasRole, useMe } from '../auth/queries'
import { DropArea } from './drop-area'
import { TransferCard } from './transfer-card'
import { UploadHistory } from './upload-history'
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
  // The vendor's exports write their times in UTC.
  const [timezone, setTimezone] = useState('UTC')
  return (
    <>
      <DropArea timezone={timezone} onTimezone={setTimezone} onFiles={(files) => transfers.add(files, timezone)} />
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
