import { type FormEvent, type KeyboardEvent, useState } from 'react'
import type { QuarantineItem, ReplayResult } from '../../api/types'
import { useReplay } from './queries'

interface RowEditorProps {
  item: QuarantineItem
  name: string
  onDone: (result: ReplayResult) => void
  onClose: () => void
}

/** The row as it stands in the file, to be mended and run again; refused once more, it stays here with the reason. */
export function RowEditor({ item, name, onDone, onClose }: RowEditorProps) {
  const [raw, setRaw] = useState(item.raw)
  const replay = useReplay()
  const refused = replay.data?.rejected[0]

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const items = [{ quarantine_id: item.quarantine_id, raw: raw === item.raw ? null : raw }]
    replay.mutate({ items }, { onSuccess: (result) => result.rejected.length === 0 && onDone(result) })
  }
  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose()
  }

  return (
    <form className="row-editor" onSubmit={submit} onKeyDown={closeOnEscape}>
      <textarea
        // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed.
        autoFocus
        aria-label={`Text of ${name}`}
        spellCheck={false}
        rows={Math.min(8, 2 + Math.floor(raw.length / 90))}
        value={raw}
        onChange={(event) => setRaw(event.target.value)}
      />
      <div className="row-editor-actions">
        <button type="submit" className="primary small" disabled={replay.isPending}>
          {raw === item.raw ? 'Run again unchanged' : 'Run again'}
        </button>
        <button type="button" className="small" onClick={onClose}>
          Close
        </button>
        <span role="status">
          {refused && (
            <span className="form-error">
              Still refused: {refused.reason} <code>{refused.reason_code}</code>
            </span>
          )}
        </span>
      </div>
      {replay.error && (
        <p className="form-error" role="alert">
          {replay.error.message}
        </p>
      )}
    </form>
  )
}
