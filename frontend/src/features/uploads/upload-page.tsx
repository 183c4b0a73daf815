import { Link, useParams } from '@tanstack/react-router'
import { formatBytes, formatInstant } from '../../lib/format'
import { Page } from '../../ui/page'
import { Panel } from '../../ui/panel'
import { useZone } from '../filters/use-view'
import { UploadDetail } from './upload-detail'
import { UploadState } from './upload-history'
import { useUpload } from './use-progress'

/** One upload at an address of its own, which can be bookmarked and sent to somebody. */
export function UploadPage() {
  const { uploadId } = useParams({ from: '/shell/uploads/$uploadId' })
  const zone = useZone()
  const following = useUpload(uploadId)
  const upload = following.result.data

  return (
    <Page
      title={upload?.file_name ?? 'Upload'}
      actions={
        <Link className="button" to="/uploads" search={({ tz }) => ({ tz })}>
          All uploads
        </Link>
      }
    >
      <Panel
        title="What became of it"
        result={following.result}
        height={260}
        actions={upload && <UploadState upload={upload} />}
      >
        {(shown) => (
          <>
            <UploadDetail upload={shown} following={following} duplicate={false} />
            <dl className="facts">
              <dt>Size</dt>
              <dd>{formatBytes(shown.bytes_total)}</dd>
              <dt>Uploaded</dt>
              <dd>
                {formatInstant(shown.created_at, zone, 'full')} by {shown.uploaded_by}
              </dd>
              <dt>Times without a zone</dt>
              <dd>{shown.timezone}</dd>
              <dt>Fingerprint</dt>
              <dd className="cell">{shown.sha256}</dd>
            </dl>
          </>
        )}
      </Panel>
    </Page>
  )
}
