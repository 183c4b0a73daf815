import { useSearch } from '@tanstack/react-router'
import { useSetSearch } from '../hooks/use-set-search'

/** Whether the chart called `name` is shown as a table; kept in the address like everything else one sees. */
export function useTableView(name: string): [boolean, () => void] {
  const setSearch = useSetSearch()
  const shown = useSearch({ from: '/shell' }).table ?? []
  const isTable = shown.includes(name)
  const toggle = () => {
    const table = isTable ? shown.filter((other) => other !== name) : [...shown, name]
    setSearch({ table: table.length > 0 ? table : undefined })
  }
  return [isTable, toggle]
}

interface TableToggleProps {
  isTable: boolean
  onToggle: () => void
}

export function TableToggle({ isTable, onToggle }: TableToggleProps) {
  return (
    <button type="button" className="small" aria-pressed={isTable} onClick={onToggle}>
      Show as table
    </button>
  )
}
