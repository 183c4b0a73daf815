"""How many were there at once: an exact sweep over sessions, for any filter and any buckets."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from datetime import datetime

import asyncpg
import msgspec

from services.gateway.buckets import choose_size, edges
from services.gateway.filters import Filters
from services.gateway.models import OccupancyPoint, OccupancyTimeline
from services.gateway.queries.conditions import present_sessions


class Step(msgspec.Struct, frozen=True):
    """One bucket, cut to the range: `avg` = overlapped seconds / its seconds, `peak` = most at once within it."""

    start: datetime
    avg: float
    peak: int
    entries: int
    exits: int


async def occupancy_steps(db: asyncpg.Pool, filters: Filters, cuts: list[datetime]) -> list[Step]:
    """One step a stretch between two cuts; the first and last cut are those of the range.

    A session is there at ``started_at <= t < ended_at``, so ends come before starts at the same instant and one without
    length occupies nothing, though it enters and exits. Over several cameras the sessions of all count together.
    """
    where = present_sessions(filters)
    start, end = where.parameter(filters.start), where.parameter(filters.end)
    starts, ends = where.parameter(cuts[:-1]), where.parameter(cuts[1:])
    rows = await db.fetch(
        f"""
        WITH present AS MATERIALIZED (
            SELECT s.started_at, s.ended_at FROM sessions s WHERE {where}
        ), changes AS (
            SELECT greatest(started_at, {start}) AS at, 1 AS change FROM present
            WHERE ended_at > started_at AND ended_at > {start}
            UNION ALL
            SELECT ended_at, -1 FROM present WHERE ended_at > started_at AND ended_at > {start} AND ended_at < {end}
            UNION ALL
            SELECT unnest({starts}::timestamptz[]), 0
        ), levels AS (
            SELECT at, sum(change) OVER (ORDER BY at) AS level, lead(at, 1, {end}) OVER (ORDER BY at) AS until
            FROM changes
        ), swept AS (
            SELECT width_bucket(at, {starts}::timestamptz[]) AS bucket,
                   sum(level * date_part('epoch', until - at)) AS seconds,
                   max(level)::int AS peak
            FROM levels GROUP BY 1
        ), entered AS (
            SELECT width_bucket(started_at, {starts}::timestamptz[]) AS bucket, count(*) AS entries
            FROM present WHERE started_at >= {start} GROUP BY 1
        ), exited AS (
            SELECT width_bucket(ended_at, {starts}::timestamptz[]) AS bucket, count(*) AS exits
            FROM present WHERE ended_at < {end} GROUP BY 1
        )
        SELECT b.start, seconds / date_part('epoch', b.until - b.start) AS avg, peak,
               coalesce(entries, 0) AS entries, coalesce(exits, 0) AS exits
        FROM unnest({starts}::timestamptz[], {ends}::timestamptz[]) WITH ORDINALITY AS b (start, until, bucket)
        JOIN swept USING (bucket) LEFT JOIN entered USING (bucket) LEFT JOIN exited USING (bucket)
        ORDER BY b.start
        """,
        *where.parameters,
    )
    return [Step(**row) for row in rows]


async def read_occupancy_timeline(
    db: asyncpg.Pool, filters: Filters, requested_size: int | None, now: datetime
) -> OccupancyTimeline:
    size = choose_size(filters.start, filters.end, requested_size)
    bounds = edges(filters.start, filters.end, size, filters.zone)
    cuts = [filters.start, *bounds[1:-1], filters.end]
    steps = await occupancy_steps(db, filters, cuts)
    return OccupancyTimeline(
        bucket_seconds=size,
        timezone=filters.zone.key,
        points=[
            OccupancyPoint(
                bucket=bound.astimezone(filters.zone),
                occupancy_avg=step.avg,
                occupancy_peak=step.peak,
                entries=step.entries,
                exits=step.exits,
                in_progress=until > now,
            )
            for bound, until, step in zip(bounds, bounds[1:], steps, strict=False)
        ],
    )
