import { formatDuration } from '../../lib/format'
import { isFiltered, LIST_FILTERS, NO_FILTERS } from '../../lib/search'
import { Icon } from '../../ui/icon'
import { useFilterOptions } from './queries'
import { useSetFilters, useView } from './use-view'

const NAMES = { camera_id: 'Camera', age_group: 'Age group', gender: 'Gender' } as const

export function FilterChips() {
  const { filters } = useView()
  const { cameras } = useFilterOptions()
  const setFilters = useSetFilters()

  const label = (key: string, value: string) =>
    (key === 'camera_id' && cameras.find((camera) => camera.camera_id === value)?.description) || value

  if (!isFiltered(filters)) return null
  return (
    <ul className="chips" aria-label="Active filters">
      {LIST_FILTERS.flatMap((key) =>
        (filters[key] ?? []).map((value) => (
          <Chip
            key={`${key} ${value}`}
            text={`${NAMES[key]}: ${label(key, value)}`}
            onRemove={() => {
              const rest = filters[key]?.filter((other) => other !== value)
              setFilters({ [key]: rest?.length ? rest : undefined })
            }}
          />
        )),
      )}
      {filters.min_dwell !== undefined && (
        <Chip
          text={`Dwell at least ${formatDuration(filters.min_dwell)}`}
          onRemove={() => setFilters({ min_dwell: undefined })}
        />
      )}
      {filters.max_dwell !== undefined && (
        <Chip
          text={`Dwell at most ${formatDuration(filters.max_dwell)}`}
          onRemove={() => setFilters({ max_dwell: undefined })}
        />
      )}
      <li>
        <button type="button" className="link" onClick={() => setFilters(NO_FILTERS)}>
          Clear filters
        </button>
      </li>
    </ul>
  )
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <li className="chip">
      {text}
      <button type="button" aria-label={`Remove ${text}`} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </li>
  )
}
