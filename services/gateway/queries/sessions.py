"""Sessions one by one: the table and the export."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from services.gateway.cursors import decode_cursor, next_cursor
from services.gateway.filters import Filters
from services.gateway.models import Session, SessionPage
from services.gateway.queries.conditions import started_sessions
from services.gateway.settings import GatewaySettings

SessionSort = Literal[
    "started_at", "-started_at", "ended_at", "-ended_at", "dwell_seconds", "-dwell_seconds", "camera_id", "-camera_id"
]

_KINDS: dict[str, type[Any]] = {"started_at": datetime, "ended_at": datetime, "dwell_seconds": float, "camera_id": str}

EXPORT_COLUMNS = (
    "session_id",
    "camera_id",
    "subject_id",
    "started_at",
    "ended_at",
    "dwell_seconds",
    "visible_seconds",
    "appearance_count",
    "age_group",
    "gender",
    "camera_description",
    "camera_group",
    "department",
    "division",
    "zone",
    "camera_category",
)

_EXPORT_ROWS = 1_000
"""Read from the server-side cursor at a time; bounds the memory of an export."""


async def read_sessions(
    db: asyncpg.Pool,
    filters: Filters,
    settings: GatewaySettings,
    now: datetime,
    sort: SessionSort,
    cursor: str | None,
    limit: int,
) -> SessionPage:
    column, direction, beyond = _order(sort)
    after = decode_cursor(cursor, sort, _KINDS[column])
    where = started_sessions(filters)
    total = await db.fetchval(f"SELECT count(*) FROM sessions s WHERE {where}", *where.parameters)
    if after:
        where.add(f"(s.{column}, s.session_id) {beyond} ({{}}, {{}})", after.value, after.id)
    size = where.parameter(limit + 1)
    rows = await db.fetch(
        f"""
        SELECT s.*, c.description AS camera_description FROM sessions s LEFT JOIN cameras c USING (camera_id)
        WHERE {where} ORDER BY s.{column} {direction}, s.session_id {direction} LIMIT {size}
        """,
        *where.parameters,
    )
    return SessionPage(
        items=[_session(row, settings, now) for row in rows[:limit]],
        next_cursor=next_cursor(sort, rows, limit, column, "session_id"),
        total=total,
    )


async def export_sessions(
    db: asyncpg.Pool, filters: Filters, sort: SessionSort
) -> AsyncGenerator[list[asyncpg.Record], None]:
    """The whole filtered set in batches, as it was when the export began."""
    column, direction, _ = _order(sort)
    where = started_sessions(filters)
    async with db.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(
            f"""
            SELECT s.session_id, s.camera_id, s.subject_id, s.started_at, s.ended_at, s.dwell_seconds,
                   s.visible_seconds, s.appearance_count, s.age_group, s.gender, c.description, c.camera_group,
                   c.department, c.division, c.zone, c.camera_category
            FROM sessions s LEFT JOIN cameras c USING (camera_id)
            WHERE {where} ORDER BY s.{column} {direction}, s.session_id {direction}
            """,
            *where.parameters,
        )
        while rows := await cursor.fetch(_EXPORT_ROWS):
            yield rows


def _order(sort: SessionSort) -> tuple[str, str, str]:
    return (sort[1:], "DESC", "<") if sort.startswith("-") else (sort, "ASC", ">")


def _session(row: asyncpg.Record, settings: GatewaySettings, now: datetime) -> Session:
    gap = timedelta(seconds=settings.gap_seconds(row["camera_id"]))
    return Session(
        **{name: row[name] for name in Session.model_fields if name != "open"}, open=now - row["ended_at"] <= gap
    )
