import type { UploadPreview } from '../../api/types'
import { formatCount, plural } from '../../lib/format'
import { describeFormat, isGuess, recognisedBy, rowColumns, rowValue, sortColumns } from '../../lib/preview'
import { type Column, DataTable } from '../../ui/data-table'
import { ScrollBox } from '../../ui/scroll-box'

type Row = UploadPreview['rows'][number]
type FileColumn = UploadPreview['columns'][number]

const KINDS = { appearances: 'Camera sightings', insights: 'An insight report' }

/** What the beginning of a file will become. Every word that comes from the file is shown as text. */
export function FilePreview({ preview, fileName }: { preview: UploadPreview; fileName: string }) {
  const { kind, refusal, missing, warnings, rows } = preview
  const bad = rows.filter((row) => row.reason_code !== null).length
  return (
    <div className="preview">
      <p>
        <strong>{kind ? KINDS[kind] : 'Unknown content'}</strong>{' '}
        <span className="quiet">{describeFormat(preview)}</span>
      </p>
      {refusal && (
        <p className="notice notice-bad" role="alert">
          <strong>This file would be refused:</strong> {refusal.detail}
        </p>
      )}
      {missing.length > 0 && (
        <p className="notice notice-bad">
          <strong>Not found:</strong> {missing.join(', ')}
        </p>
      )}
      {warnings.map((warning) => (
        <p key={warning} className="notice notice-warn">
          {warning}
        </p>
      ))}
      <Columns columns={preview.columns} />
      {rows.length > 0 && (
        <div>
          <h3>
            {plural(rows.length, 'first row')} as {rows.length === 1 ? 'it' : 'they'} will be read
            {bad > 0 && `, ${formatCount(bad)} rejected`}
          </h3>
          <ScrollBox label={`First rows of ${fileName}`}>
            <DataTable
              caption="First rows as they will be read"
              columns={tableColumns(rows)}
              rows={rows}
              rowKey={(row) => String(row.line)}
            />
          </ScrollBox>
        </div>
      )}
    </div>
  )
}

function tableColumns(rows: readonly Row[]): Column<Row>[] {
  const shown = rowColumns(rows)
  return [
    { header: 'Line', numeric: true, cell: (row) => formatCount(row.line) },
    ...shown.map(
      ({ field, header }): Column<Row> => ({
        header,
        cell: (row) => <span className="cell">{rowValue(field, row.item?.[field])}</span>,
      }),
    ),
    ...(rows.some((row) => row.reason_code)
      ? [
          {
            header: 'Rejected because',
            cell: (row: Row) =>
              row.reason_code && (
                <>
                  <span className="badge badge-bad">{row.reason_code}</span> {row.reason}
                </>
              ),
          },
        ]
      : []),
  ]
}

function Columns({ columns }: { columns: readonly FileColumn[] }) {
  if (columns.length === 0) return null
  const { read, kept, dropped } = sortColumns(columns)
  const unsure = read.filter(isGuess).length
  return (
    <details className="columns-found" open={unsure > 0}>
      <summary>
        {formatCount(read.length)} of {plural(columns.length, 'column')} understood
        {unsure > 0 && `, ${formatCount(unsure)} by a guess`}
      </summary>
      <DataTable
        caption="Columns that are understood"
        columns={[
          { header: 'In the file', cell: (column) => <span className="cell">{column.header}</span> },
          { header: 'Read as', cell: (column) => column.field },
          { header: 'Recognised', cell: (column) => recognisedBy(column.how) },
          { header: 'Confidence', numeric: true, cell: (column) => <Confidence column={column} /> },
        ]}
        rows={read}
        rowKey={(column) => String(column.position)}
      />
      {kept.length > 0 && <Names label="Not understood, kept with each row" columns={kept} />}
      {dropped.length > 0 && <Names label="Images, left out" columns={dropped} />}
    </details>
  )
}

function Confidence({ column }: { column: FileColumn }) {
  return <span className={isGuess(column) ? 'unsure' : undefined}>{Math.round(column.confidence * 100)}%</span>
}

function Names({ label, columns }: { label: string; columns: readonly FileColumn[] }) {
  return (
    <p className="names">
      {label}: <span className="quiet">{columns.map((column) => column.header).join(', ')}</span>
    </p>
  )
}
