"""Alerts, and who has acknowledged them."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from datetime import datetime

import asyncpg

from services.gateway.cursors import decode_cursor, next_cursor
from services.gateway.errors import NotFoundError
from services.gateway.filters import Conditions, Filters
from services.gateway.models import Alert, AlertPage

_ORDER = "-alert.event_time"

_ALERTS = """
    SELECT a.*, c.description AS camera_description, k.acknowledged_at, k.acknowledged_by
    FROM alerts a LEFT JOIN cameras c USING (camera_id) LEFT JOIN alert_acknowledgements k USING (alert_id)
"""


async def read_alerts(
    db: asyncpg.Pool, filters: Filters, status: str | None, cursor: str | None, limit: int
) -> AlertPage:
    """Newest first."""
    after = decode_cursor(cursor, _ORDER, datetime)
    where = (
        Conditions()
        .add("a.event_time >= {}", filters.start)
        .add("a.event_time < {}", filters.end)
        .cameras(filters, "a")
    )
    if status:
        where.add("a.status = {}", status)
    total = await db.fetchval(f"SELECT count(*) FROM alerts a WHERE {where}", *where.parameters)
    if after:
        where.add("(a.event_time, a.alert_id) < ({}, {})", after.value, after.id)
    size = where.parameter(limit + 1)
    rows = await db.fetch(
        f"{_ALERTS} WHERE {where} ORDER BY a.event_time DESC, a.alert_id DESC LIMIT {size}", *where.parameters
    )
    return AlertPage(
        items=[Alert(**row) for row in rows[:limit]],
        next_cursor=next_cursor(_ORDER, rows, limit, "event_time", "alert_id"),
        total=total,
    )


async def read_alert(db: asyncpg.Pool, alert_id: str) -> Alert:
    row = await db.fetchrow(f"{_ALERTS} WHERE a.alert_id = $1", alert_id)
    if row is None:
        raise NotFoundError("There is no alert with this id.")
    return Alert(**row)


async def acknowledge_alert(db: asyncpg.Pool, alert_id: str, email: str) -> bool:
    """Whether this was the first acknowledgement; the first stays."""
    added = await db.fetchval(
        """
        INSERT INTO alert_acknowledgements (alert_id, acknowledged_by)
        SELECT alert_id, $2 FROM alerts WHERE alert_id = $1
        ON CONFLICT (alert_id) DO NOTHING RETURNING alert_id
        """,
        alert_id,
        email,
    )
    return added is not None
