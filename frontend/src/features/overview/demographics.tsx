import type { DemographicGroup } from '../../api/types'
import { breakDown } from '../../lib/demographics'
import { formatCount, formatDuration, formatShare } from '../../lib/format'
import { DataTable } from '../../ui/data-table'
import { ScrollBox } from '../../ui/scroll-box'

/** The same colour for the same gender on every page; whatever else is reported takes that of "other". */
function genderClass(gender: string): string {
  return gender === 'female' || gender === 'male' ? gender : 'other'
}

export function DemographicsChart({ groups }: { groups: readonly DemographicGroup[] }) {
  const { rows, genders, sessions } = breakDown(groups)
  const most = Math.max(1, ...rows.map((row) => row.sessions))

  return (
    <figure className="chart">
      <table className="bars">
        <caption className="visually-hidden">Sessions by age group</caption>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Age group</th>
            <th scope="col">By gender</th>
            <th scope="col">Sessions</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.age_group}>
              <th scope="row">{row.age_group}</th>
              <td className="bar-cell">
                <span className="visually-hidden">
                  {row.byGender.map(({ gender, sessions: n }) => `${gender} ${formatCount(n)}`).join(', ')}
                </span>
                <div className="bar-track" aria-hidden="true">
                  {row.byGender.map(({ gender, sessions: n }) => (
                    <span
                      key={gender}
                      className={`segment ${genderClass(gender)}`}
                      style={{ width: `${(n / most) * 100}%` }}
                      title={`${row.age_group}, ${gender}: ${formatCount(n)} sessions, ${formatShare(n, sessions)}`}
                    />
                  ))}
                </div>
              </td>
              <td className="numeric">{formatCount(row.sessions)}</td>
              <td className="numeric quiet">{formatShare(row.sessions, sessions)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <figcaption>
        <ul className="legend">
          {genders.map(({ gender, sessions: n }) => (
            <li key={gender} className={`key key-${genderClass(gender)}`}>
              {gender} {formatCount(n)} <span className="quiet">({formatShare(n, sessions)})</span>
            </li>
          ))}
        </ul>
        <p className="quiet">Shares are of {formatCount(sessions)} sessions.</p>
      </figcaption>
    </figure>
  )
}

export function DemographicsTable({ groups }: { groups: readonly DemographicGroup[] }) {
  const { sessions } = breakDown(groups)
  return (
    <ScrollBox label="Demographics, table">
      <DataTable
        caption="Sessions and visitors by age group and gender"
        rows={groups}
        rowKey={(group) => `${group.age_group} ${group.gender}`}
        columns={[
          { header: 'Age group', cell: (group) => group.age_group },
          { header: 'Gender', cell: (group) => group.gender },
          { header: 'Visitors', numeric: true, cell: (group) => formatCount(group.visitors) },
          { header: 'Sessions', numeric: true, cell: (group) => formatCount(group.sessions) },
          { header: 'Share', numeric: true, cell: (group) => formatShare(group.sessions, sessions) },
          { header: 'Median dwell', numeric: true, cell: (group) => formatDuration(group.dwell_median_seconds) },
        ]}
      />
    </ScrollBox>
  )
}
