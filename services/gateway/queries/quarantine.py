"""What was refused."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from collections.abc import AsyncGenerator
from datetime import datetime

import asyncpg

from services.gateway.cursors import decode_cursor, encode_cursor
from services.gateway.filters import Conditions
from services.gateway.models import QuarantineItem, QuarantinePage

_ORDER = "-quarantined_at"

_EXPORT_ROWS = 500
"""Read at a time: one entry may keep 64 KiB of what was refused."""


async def read_quarantine(
    db: asyncpg.Pool,
    reason_codes: list[str],
    source: str | None,
    camera_ids: list[str],
    cursor: str | None,
    limit: int,
) -> QuarantinePage:
    """Newest first; `source` is a prefix."""
    after = decode_cursor(cursor, _ORDER, datetime)
    where = Conditions()
    if reason_codes:
        where.add("q.reason_code = ANY({})", reason_codes)
    if source:
        where.add("q.source LIKE {}", _prefix(source))
    if camera_ids:
        where.add("q.camera_id = ANY({})", camera_ids)
    counts = await db.fetch(
        f"SELECT reason_code, count(*) AS count FROM quarantine q WHERE {where} GROUP BY 1 ORDER BY 1",
        *where.parameters,
    )
    by_reason = {row["reason_code"]: row["count"] for row in counts}
    if after:
        where.add("(q.quarantined_at, q.quarantine_id) < ({}, {})", after.value, after.id)
    size = where.parameter(limit + 1)
    rows = await db.fetch(
        f"SELECT * FROM quarantine q WHERE {where} ORDER BY q.quarantined_at DESC, q.quarantine_id DESC LIMIT {size}",
        *where.parameters,
    )
    page = rows[:limit]
    return QuarantinePage(
        items=[QuarantineItem(**{**row, "raw": as_text(row["raw"])}) for row in page],
        next_cursor=encode_cursor(_ORDER, page[-1]["quarantined_at"], page[-1]["quarantine_id"])
        if len(rows) > limit
        else None,
        total=sum(by_reason.values()),
        by_reason=by_reason,
    )


async def export_rejects(db: asyncpg.Pool, upload_id: str) -> AsyncGenerator[list[tuple[int, str, str, str]], None]:
    """(line, reason_code, reason, raw) of an upload's refused rows, in the order of the file, in batches."""
    source = f"upload:{upload_id}#"
    async with db.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(
            """
            SELECT split_part(source, '#', 2)::bigint AS line, reason_code, reason, raw FROM quarantine
            WHERE source LIKE $1 ORDER BY 1, 2
            """,
            _prefix(source),
        )
        while rows := await cursor.fetch(_EXPORT_ROWS):
            yield [(row["line"], row["reason_code"], row["reason"], as_text(row["raw"])) for row in rows]


def as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _prefix(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
