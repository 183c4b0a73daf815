import { useEffect, useRef, useState } from 'react'
import type { Upload } from '../../api/types'
import { serverProgress } from '../../lib/upload'
import { Phases, StaleNote } from './phases'
import { UploadActions } from './upload-actions'
import { UploadResult } from './upload-result'
import type { useUpload } from './use-progress'

interface UploadDetailProps {
  upload: Upload
  following: ReturnType<typeof useUpload>
  /** the same bytes were there before */
  duplicate: boolean
}

/** One upload as it stands: how far it is, what came of it, and what can be done about it. */
export function UploadDetail({ upload, following: { result, retryAt }, duplicate }: UploadDetailProps) {
  const progress = serverProgress(upload)
  const ref = useRef<HTMLDivElement>(null)
  const [acts, setActs] = useState(0)
  useEffect(() => {
    // The button that had the focus may be gone with what it did.
    if (acts > 0 && document.activeElement === document.body) ref.current?.focus()
  }, [acts])
  return (
    <div ref={ref} tabIndex={-1} className="result">
      {progress && <Phases progress={progress} />}
      {progress && <StaleNote knownAt={result.dataUpdatedAt} failing={result.failureCount > 0} retryAt={retryAt} />}
      <UploadResult upload={upload} duplicate={duplicate} />
      <UploadActions upload={upload} onActed={() => setActs((before) => before + 1)} />
    </div>
  )
}
