import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'

/** Says what of the address one came with was left out, so that nobody takes the answer for that of another question. */
export function IgnoredNote() {
  const { ignored } = useRouter().options.context
  const [shown, setShown] = useState(ignored.length > 0)
  if (!shown) return null
  return (
    <div className="notice notice-warn" role="status">
      <p>Part of this address made no sense and was left out: {ignored.join(', ')}.</p>
      <button type="button" onClick={() => setShown(false)}>
        Dismiss
      </button>
    </div>
  )
}
