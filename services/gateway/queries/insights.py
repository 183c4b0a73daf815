"""Merged insights, and how they go with occupancy hour by hour."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from datetime import datetime

import asyncpg

from services.gateway.buckets import HOUR, MAX_POINTS, edges
from services.gateway.cursors import decode_cursor, next_cursor
from services.gateway.errors import InvalidRequestError, NotFoundError
from services.gateway.filters import Conditions, Filters
from services.gateway.models import (
    Correlation,
    InsightHour,
    InsightHours,
    MergedInsight,
    MergedInsightDetail,
    MergedInsightPage,
)

MIN_CORRELATED_HOURS = 8

_ORDER = "-insight.started_at"


def _reported(filters: Filters, kinds: list[str], match: str | None) -> Conditions:
    where = (
        Conditions()
        .add("i.started_at >= {}", filters.start)
        .add("i.started_at < {}", filters.end)
        .cameras(filters, "i")
        .people(filters, "i")
    )
    if kinds:
        where.add("i.kind = ANY({})", kinds)
    if match:
        where.add("i.match = {}", match)
    return where


async def read_insights(
    db: asyncpg.Pool, filters: Filters, kinds: list[str], match: str | None, cursor: str | None, limit: int
) -> MergedInsightPage:
    """Newest first."""
    after = decode_cursor(cursor, _ORDER, datetime)
    where = _reported(filters, kinds, match)
    total = await db.fetchval(f"SELECT count(*) FROM insights i WHERE {where}", *where.parameters)
    if after:
        where.add("(i.started_at, i.insight_id) < ({}, {})", after.value, after.id)
    size = where.parameter(limit + 1)
    rows = await db.fetch(
        f"""
        SELECT i.*, c.description AS camera_description FROM insights i LEFT JOIN cameras c USING (camera_id)
        WHERE {where} ORDER BY i.started_at DESC, i.insight_id DESC LIMIT {size}
        """,
        *where.parameters,
    )
    return MergedInsightPage(
        items=[MergedInsight(**row) for row in rows[:limit]],
        next_cursor=next_cursor(_ORDER, rows, limit, "started_at", "insight_id"),
        total=total,
    )


async def read_insight(db: asyncpg.Pool, insight_id: str) -> MergedInsightDetail:
    row = await db.fetchrow(
        """
        SELECT i.*, c.description AS camera_description FROM insights i LEFT JOIN cameras c USING (camera_id)
        WHERE i.insight_id = $1
        """,
        insight_id,
    )
    if row is None:
        raise NotFoundError("There is no insight with this id.")
    return MergedInsightDetail(**row)


def _hours_sql(filters: Filters) -> tuple[str, Conditions]:
    """SQL of (hour, insights, occupancy_avg) of every hour that has either; occupancy knows no demographics.

    A camera-minute that is not stored is an empty one, and cameras add up: the mean of an hour is a sum over 60.
    """
    where = _reported(filters, [], None)
    zone = where.parameter(filters.zone.key)
    minutes = Conditions(*where.parameters)
    minutes.add("m.minute >= {}", filters.start).add("m.minute < {}", filters.end).cameras(filters, "m")
    sql = f"""
        SELECT hour, coalesce(insights, 0) AS insights, coalesce(occupancy_avg, 0) AS occupancy_avg
        FROM (
            SELECT date_trunc('hour', i.started_at, {zone}) AS hour, count(*) AS insights
            FROM insights i WHERE {where} GROUP BY 1
        ) reported FULL JOIN (
            SELECT date_trunc('hour', m.minute, {zone}) AS hour, sum(m.occupancy_avg) / 60 AS occupancy_avg
            FROM occupancy_minutes m WHERE {minutes} GROUP BY 1
        ) occupied USING (hour)
    """
    return sql, minutes


async def read_correlation(db: asyncpg.Pool, filters: Filters) -> Correlation:
    hours, conditions = _hours_sql(filters)
    row = await db.fetchrow(
        f"SELECT count(*) AS n, corr(insights, occupancy_avg) AS r FROM ({hours}) hours", *conditions.parameters
    )
    return Correlation(pearson_r=row["r"] if row["n"] >= MIN_CORRELATED_HOURS else None, n=row["n"])


async def read_insight_hours(db: asyncpg.Pool, filters: Filters) -> InsightHours:
    if (filters.end - filters.start).total_seconds() / HOUR >= MAX_POINTS:
        raise InvalidRequestError(f"The range has more than {MAX_POINTS} hours.")
    hours, conditions = _hours_sql(filters)
    found = {row["hour"]: row for row in await db.fetch(hours, *conditions.parameters)}
    return InsightHours(
        timezone=filters.zone.key,
        points=[
            InsightHour(
                hour=hour.astimezone(filters.zone),
                insights=found[hour]["insights"] if hour in found else 0,
                occupancy_avg=found[hour]["occupancy_avg"] if hour in found else 0.0,
            )
            for hour in edges(filters.start, filters.end, HOUR, filters.zone)[:-1]
        ],
    )
