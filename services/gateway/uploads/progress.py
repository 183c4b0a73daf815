"""The upload rows: who may work on one, how far it has come, how it ended."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
from msgspec import Struct

from services.gateway.cursors import decode_cursor, encode_cursor
from services.gateway.models import Upload, UploadPage, UploadStatus, UploadSummary
from services.gateway.uploads.receive import ReceivedFile

_ORDER = "-upload.created_at"

_LOCK_CLASS = 0x6477656C
"""First key of the advisory locks on uploads. A lock ends with its connection, so a dead worker's is free at once."""

# Uploads made before this namespace would change their identity with it.
_NAMESPACE = uuid.UUID("9a1d2a52-6c0c-4b52-8a6a-0d5cf8a7a9c1")


Database: TypeAlias = asyncpg.Pool | asyncpg.Connection


class Counts(Struct):
    """Rows so far; ``total = accepted + rejected`` always."""

    accepted: int = 0
    rejected: int = 0
    by_reason: dict[str, int] = {}
    bytes_done: int = 0


def upload_id_of(sha256: str) -> uuid.UUID:
    """The same bytes have the same id, so that a retry repeats every source and every refusal."""
    return uuid.uuid5(_NAMESPACE, sha256)


async def claim(
    db: asyncpg.Pool, file: ReceivedFile, timezone: str, kind: str | None, email: str, status: UploadStatus
) -> Upload | None:
    """A new upload, or a failed one begun anew; None where these bytes are here already."""
    row = await db.fetchrow(
        """
        INSERT INTO uploads (upload_id, sha256, file_name, kind, status, timezone, bytes_total, uploaded_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (upload_id) DO UPDATE
        SET file_name = EXCLUDED.file_name, kind = EXCLUDED.kind, status = EXCLUDED.status,
            timezone = EXCLUDED.timezone, uploaded_by = EXCLUDED.uploaded_by, created_at = now(), completed_at = NULL,
            rows_total = 0, rows_accepted = 0, rows_rejected = 0, rejects_by_reason = '{}', bytes_done = 0,
            warnings = '[]', summary = NULL, error = NULL
        WHERE uploads.status = 'failed'
        RETURNING *
        """,
        upload_id_of(file.sha256),
        file.sha256,
        file.file_name,
        kind,
        status,
        timezone,
        file.size,
        email,
    )
    return row and _upload(row)


@asynccontextmanager
async def working_on(db: asyncpg.Pool, upload_id: str) -> AsyncIterator[asyncpg.Connection | None]:
    """The connection that holds the upload for us until the block ends; None while somebody else is at it."""
    async with db.acquire() as connection:
        mine = await connection.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", _LOCK_CLASS, upload_id)
        try:
            yield connection if mine else None
        finally:
            if mine and not connection.is_closed():
                await connection.execute("SELECT pg_advisory_unlock($1, hashtext($2))", _LOCK_CLASS, upload_id)


async def waiting_uploads(db: asyncpg.Pool) -> list[str]:
    """Uploads that are not finished and that nobody works on, oldest first."""
    rows = await db.fetch(
        """
        SELECT upload_id FROM uploads
        WHERE status IN ('received', 'processing') AND NOT EXISTS (
            SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND classid = $1::int::oid
              AND objid = hashtext(upload_id::text)::oid
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        )
        ORDER BY created_at
        """,
        _LOCK_CLASS,
    )
    return [str(row["upload_id"]) for row in rows]


async def begin(db: Database, upload_id: str) -> Upload | None:
    """Start (again) from the first byte; None where there is nothing to do any more."""
    row = await db.fetchrow(
        """
        UPDATE uploads SET status = 'processing', rows_total = 0, rows_accepted = 0, rows_rejected = 0,
                           rejects_by_reason = '{}', bytes_done = 0
        WHERE upload_id = $1 AND status IN ('received', 'processing') RETURNING *
        """,
        upload_id,
    )
    return row and _upload(row)


async def save_counts(db: Database, upload_id: str, counts: Counts) -> None:
    await db.execute(
        """
        UPDATE uploads SET rows_total = $2, rows_accepted = $3, rows_rejected = $4, rejects_by_reason = $5,
                           bytes_done = $6
        WHERE upload_id = $1
        """,
        upload_id,
        counts.accepted + counts.rejected,
        counts.accepted,
        counts.rejected,
        counts.by_reason,
        counts.bytes_done,
    )


async def complete(db: Database, upload_id: str, summary: UploadSummary | None, warnings: list[str]) -> Upload | None:
    row = await db.fetchrow(
        """
        UPDATE uploads SET status = 'completed', bytes_done = bytes_total, completed_at = now(), summary = $2,
                           warnings = $3
        WHERE upload_id = $1 RETURNING *
        """,
        upload_id,
        summary and summary.model_dump(mode="json"),
        warnings,
    )
    return row and _upload(row)


async def fail(db: Database, upload_id: str, error: str) -> None:
    await db.execute(
        "UPDATE uploads SET status = 'failed', error = $2, completed_at = now() WHERE upload_id = $1", upload_id, error
    )


async def read_upload(db: asyncpg.Pool, upload_id: str | uuid.UUID) -> Upload | None:
    row = await db.fetchrow("SELECT * FROM uploads WHERE upload_id = $1", upload_id)
    return row and _upload(row)


async def read_uploads(db: asyncpg.Pool, cursor: str | None, limit: int) -> UploadPage:
    """Newest first."""
    after = decode_cursor(cursor, _ORDER, datetime)
    rows = await db.fetch(
        """
        SELECT * FROM uploads WHERE $1::timestamptz IS NULL OR (created_at, upload_id) < ($1, $2::uuid)
        ORDER BY created_at DESC, upload_id DESC LIMIT $3
        """,
        after and after.value,
        after and after.id,
        limit + 1,
    )
    page = rows[:limit]
    last: Any = page[-1] if len(rows) > limit else None
    return UploadPage(
        items=[_upload(row) for row in page],
        next_cursor=last and encode_cursor(_ORDER, last["created_at"], str(last["upload_id"])),
    )


def _upload(row: asyncpg.Record) -> Upload:
    return Upload(**{**row, "upload_id": str(row["upload_id"])})
