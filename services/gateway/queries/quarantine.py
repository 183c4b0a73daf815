"""What was refused and is still open: listed, grouped, dismissed, and of one upload exported."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are names and conditions written here

from collections.abc import AsyncGenerator, Collection
from datetime import datetime

import asyncpg
from msgspec import Struct

from services.common.events.quarantine import REASONS, SUGGESTIONS
from services.gateway.cursors import decode_cursor, next_cursor
from services.gateway.filters import Conditions
from services.gateway.models import (
    QuarantineGroup,
    QuarantineGroups,
    QuarantineItem,
    QuarantinePage,
    QuarantineSample,
    Upload,
)

_ORDER = "-quarantined_at"

_EXPORT_ROWS = 500
"""Read at a time: one entry may keep 64 KiB of what was refused."""


_OF_EARLIER_READING = """
EXISTS (
    SELECT FROM uploads u
    WHERE 'upload:' || u.upload_id::text = split_part(q.source, '#', 1)
      AND (u.status = 'withdrawn' OR q.quarantined_at < u.created_at)
)
"""
"""Withdrawn, or refused when the same bytes were read an earlier time, perhaps in another zone."""


_REJECTED = """
q.source LIKE $1 AND q.quarantined_at >= $2 AND NOT EXISTS (
    SELECT FROM quarantine_resolutions r
    WHERE r.quarantine_id = q.quarantine_id AND r.resolved_at IS NOT NULL AND r.item IS NOT NULL
)
"""
"""Of the upload $1 that was begun at $2, what is counted as rejected: also what was dismissed."""


class RejectedRow(Struct, frozen=True):
    """One refused row of an upload; `line` is its place in the file."""

    line: int
    reason_code: str
    reason: str
    raw: bytes


def open_rows(
    reason_codes: Collection[str] = (), source: str | None = None, camera_ids: Collection[str] = ()
) -> Conditions:
    """Rows `q` that nobody has fixed or dismissed and whose upload stands; `source` is a prefix."""
    where = Conditions()
    where.add(
        "NOT EXISTS (SELECT FROM quarantine_resolutions r"
        " WHERE r.quarantine_id = q.quarantine_id AND r.resolved_at IS NOT NULL)"
    )
    where.add(f"NOT {_OF_EARLIER_READING}")
    if reason_codes:
        where.add("q.reason_code = ANY({})", list(reason_codes))
    if source:
        where.add("q.source LIKE {}", _prefix(source))
    if camera_ids:
        where.add("q.camera_id = ANY({})", list(camera_ids))
    return where


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
    where = open_rows(reason_codes, source, camera_ids)
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
    return QuarantinePage(
        items=[QuarantineItem(**{**row, "raw": as_text(row["raw"])}) for row in rows[:limit]],
        next_cursor=next_cursor(_ORDER, rows, limit, "quarantined_at", "quarantine_id"),
        total=sum(by_reason.values()),
        by_reason=by_reason,
    )


async def read_groups(db: asyncpg.Pool, source: str | None) -> QuarantineGroups:
    """One group a reason, the largest first; `source` is a prefix."""
    where = open_rows(source=source)
    rows = await db.fetch(
        f"""
        WITH counted AS (
            SELECT q.reason_code, count(*) AS count, max(q.quarantined_at) AS newest_at
            FROM quarantine q WHERE {where} GROUP BY 1
        )
        SELECT counted.*, sample.* FROM counted CROSS JOIN LATERAL (
            SELECT q.quarantine_id, q.raw FROM quarantine q
            WHERE q.reason_code = counted.reason_code AND q.quarantined_at = counted.newest_at AND {where}
            ORDER BY q.quarantine_id LIMIT 1
        ) AS sample
        ORDER BY count DESC, reason_code
        """,
        *where.parameters,
    )
    return QuarantineGroups(
        items=[
            QuarantineGroup(
                reason_code=row["reason_code"],
                reason=REASONS.get(row["reason_code"], row["reason_code"]),
                suggestion=SUGGESTIONS.get(row["reason_code"], ""),
                count=row["count"],
                newest_at=row["newest_at"],
                sample=QuarantineSample(quarantine_id=row["quarantine_id"], raw=as_text(row["raw"])),
            )
            for row in rows
        ]
    )


async def export_rejects(db: asyncpg.Pool, upload: Upload) -> AsyncGenerator[list[RejectedRow], None]:
    """Its refused rows but for those that were fixed, in the order of the file, in batches."""
    async with db.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(
            f"""
            SELECT split_part(q.source, '#', 2)::bigint AS line, q.reason_code, q.reason, q.raw
            FROM quarantine q WHERE {_REJECTED} ORDER BY 1, 2
            """,
            _rows_of(upload),
            upload.created_at,
        )
        while rows := await cursor.fetch(_EXPORT_ROWS):
            yield [RejectedRow(**row) for row in rows]


async def any_rejects(db: asyncpg.Pool, upload: Upload, reason_codes: Collection[str], raw_bytes: int) -> bool:
    """Whether any of the export's rows was refused for one of the reasons, or is kept with so many bytes."""
    found: bool = await db.fetchval(
        f"""
        SELECT EXISTS (
            SELECT FROM quarantine q WHERE {_REJECTED} AND (q.reason_code = ANY($3) OR octet_length(q.raw) >= $4)
        )
        """,
        _rows_of(upload),
        upload.created_at,
        list(reason_codes),
        raw_bytes,
    )
    return found


def _rows_of(upload: Upload) -> str:
    return _prefix(f"upload:{upload.upload_id}#")


async def dismiss(db: asyncpg.Pool, where: Conditions, actor: str) -> int:
    """Take the rows `q` out of the quarantine unfixed; returns how many."""
    by = where.parameter(actor)
    done: str = await db.execute(
        f"""
        INSERT INTO quarantine_resolutions (quarantine_id, source, resolved_by, resolved_at)
        SELECT q.quarantine_id, q.source, {by}, now() FROM quarantine q WHERE {where} ON CONFLICT DO NOTHING
        """,
        *where.parameters,
    )
    return int(done.split()[-1])


def as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _prefix(text: str) -> str:
    """A pattern for LIKE that matches what begins so."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
