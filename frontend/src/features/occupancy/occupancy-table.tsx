import { formatCount, formatDecimal, formatInstant } from '../../lib/format'
import type { Step } from '../../lib/timeline'
import { type Column, DataTable } from '../../ui/data-table'
import { ScrollBox } from '../../ui/scroll-box'

export function OccupancyTable({ steps, zone }: { steps: readonly Step[]; zone: string }) {
  const columns: Column<Step>[] = [
    {
      header: 'From',
      cell: (step) => (
        <>
          {formatInstant(step.start * 1000, zone)}
          {step.in_progress && <span className="badge">in progress</span>}
        </>
      ),
    },
    { header: 'To', cell: (step) => formatInstant(step.end * 1000, zone) },
    { header: 'Average', numeric: true, cell: (step) => formatDecimal(step.occupancy_avg) },
    { header: 'Peak', numeric: true, cell: (step) => formatCount(step.occupancy_peak) },
    { header: 'In', numeric: true, cell: (step) => formatCount(step.entries) },
    { header: 'Out', numeric: true, cell: (step) => formatCount(step.exits) },
  ]
  return (
    <ScrollBox label="Occupancy over time, table">
      <DataTable
        caption={`Occupancy over time, ${zone}`}
        columns={columns}
        rows={steps}
        rowKey={(step) => String(step.start)}
      />
    </ScrollBox>
  )
}
