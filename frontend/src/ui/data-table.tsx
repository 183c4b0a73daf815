import type { ReactNode } from 'react'

export interface Column<T> {
  header: string
  cell: (row: T) => ReactNode
  numeric?: boolean
  /** the server's name of the order, without its sign */
  sort?: string
}

interface DataTableProps<T> {
  caption: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  isSelected?: (row: T) => boolean
  sort?: string
  onSort?: (sort: string) => void
}

/** Rows as the server gave them; on narrow screens every row becomes a card of names and values. */
export function DataTable<T>({ caption, columns, rows, rowKey, isSelected, sort, onSort }: DataTableProps<T>) {
  return (
    <div className="table-box">
      <table className="data-table">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.header}
                scope="col"
                className={column.numeric ? 'numeric' : undefined}
                aria-sort={ariaSort(column, sort)}
              >
                {column.sort && onSort ? (
                  <button type="button" className="sort" onClick={() => onSort(nextSort(column.sort ?? '', sort))}>
                    {column.header} <span aria-hidden="true">{sortMark(column, sort)}</span>
                  </button>
                ) : (
                  column.header
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} id={`row-${rowKey(row)}`} aria-current={isSelected?.(row) ? 'true' : undefined}>
              {columns.map((column) => (
                <td key={column.header} data-label={column.header} className={column.numeric ? 'numeric' : undefined}>
                  <div>{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function ariaSort<T>(column: Column<T>, sort: string | undefined): 'ascending' | 'descending' | 'none' | undefined {
  if (!column.sort) return undefined
  if (sort === column.sort) return 'ascending'
  return sort === `-${column.sort}` ? 'descending' : 'none'
}

function sortMark<T>(column: Column<T>, sort: string | undefined): string {
  const order = ariaSort(column, sort)
  return order === 'ascending' ? '▲' : order === 'descending' ? '▼' : '↕'
}

/** The largest first, then the smallest: what one looks for is nearly always at an end. */
function nextSort(column: string, sort: string | undefined): string {
  return sort === `-${column}` ? column : `-${column}`
}
