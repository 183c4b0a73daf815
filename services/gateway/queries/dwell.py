"""How long people stay: the histogram, and the same by age group and gender."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

import asyncpg

from services.gateway.filters import Filters
from services.gateway.models import DemographicGroup, Demographics, DwellHistogram, HistogramBin
from services.gateway.queries.conditions import started_sessions

BIN_STARTS = (0, 5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1_200, 1_800, 2_700, 3_600, 7_200)
"""Seconds. Stays spread over three orders of magnitude: even bins would hold nearly all in the first."""


async def read_dwell_histogram(db: asyncpg.Pool, filters: Filters) -> DwellHistogram:
    where = started_sessions(filters)
    starts = where.parameter([float(start) for start in BIN_STARTS])
    rows = await db.fetch(
        f"""
        SELECT width_bucket(s.dwell_seconds, {starts}::double precision[]) AS bin, count(*) AS sessions
        FROM sessions s WHERE {where} GROUP BY 1
        """,
        *where.parameters,
    )
    found = {row["bin"]: row["sessions"] for row in rows}
    where = started_sessions(filters)
    quantiles = await db.fetchrow(
        f"""
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s.dwell_seconds) AS median,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY s.dwell_seconds) AS p95
        FROM sessions s WHERE {where}
        """,
        *where.parameters,
    )
    return DwellHistogram(
        bins=[
            HistogramBin(from_seconds=start, to_seconds=end, sessions=found.get(number, 0))
            for number, (start, end) in enumerate(zip(BIN_STARTS, (*BIN_STARTS[1:], None), strict=True), 1)
        ],
        sessions=sum(found.values()),
        dwell_median_seconds=quantiles["median"],
        dwell_p95_seconds=quantiles["p95"],
    )


async def read_demographics(db: asyncpg.Pool, filters: Filters) -> Demographics:
    where = started_sessions(filters)
    rows = await db.fetch(
        f"""
        SELECT s.age_group, s.gender, count(DISTINCT s.subject_id) AS visitors, count(*) AS sessions,
               avg(s.dwell_seconds) AS dwell_avg_seconds,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY s.dwell_seconds) AS dwell_median_seconds
        FROM sessions s WHERE {where}
        GROUP BY s.age_group, s.gender ORDER BY s.age_group, s.gender
        """,
        *where.parameters,
    )
    groups = [DemographicGroup(**row) for row in rows]
    return Demographics(groups=groups, sessions=sum(group.sessions for group in groups))
