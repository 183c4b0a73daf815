"""The upload rows: who may work on one, how far it has come, how it ended."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in is a list of columns written here

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg

from services.gateway.cursors import decode_cursor, next_cursor
from services.gateway.models import Upload, UploadPage, UploadStatus, UploadSummary
from services.gateway.uploads.job import Checkpoint, Counts, Job, Published, StoppedError, job_of, upload_of
from services.gateway.uploads.receive import ReceivedFile

_ORDER = "-upload.created_at"

_LOCK_CLASS = 0x6477656C
"""First key of the advisory locks on uploads. A lock ends with its connection, so a dead worker's is free at once."""

# Uploads made before this namespace would change their identity with it.
_NAMESPACE = uuid.UUID("9a1d2a52-6c0c-4b52-8a6a-0d5cf8a7a9c1")

# Of an upload that was held the counts tell of rows, too, that were read and went nowhere.
_IMPORTED = "CASE WHEN in_kafka THEN coalesce((checkpoint #>> '{counts,accepted}')::bigint, rows_accepted) ELSE 0 END"
ONLY_IMPORTED = f"rows_accepted = {_IMPORTED}, rows_total = {_IMPORTED} + rows_rejected"

Database: TypeAlias = asyncpg.Pool | asyncpg.Connection


def upload_id_of(sha256: str) -> uuid.UUID:
    """The same bytes have the same id, so that a retry repeats every source and every refusal."""
    return uuid.uuid5(_NAMESPACE, sha256)


async def claim(
    db: asyncpg.Pool,
    file: ReceivedFile,
    timezone: str,
    kind: str | None,
    email: str,
    *,
    is_small: bool,
) -> Job | None:
    """A new upload, or one that failed, was cancelled or withdrawn, begun anew; None where these bytes are here."""
    row = await db.fetchrow(
        """
        INSERT INTO uploads (upload_id, sha256, file_name, kind, status, phase, timezone, bytes_total, uploaded_by,
                             is_small)
        VALUES ($1, $2, $3, $4, $5, 'receiving', $6, $7, $8, $9)
        ON CONFLICT (upload_id) DO UPDATE
        SET file_name = EXCLUDED.file_name, kind = EXCLUDED.kind, status = EXCLUDED.status, phase = EXCLUDED.phase,
            timezone = EXCLUDED.timezone, uploaded_by = EXCLUDED.uploaded_by, is_small = EXCLUDED.is_small,
            created_at = now(), completed_at = NULL, attempt = uploads.attempt + 1, is_decided = false,
            checkpoint = NULL, rows_total = 0, rows_accepted = 0, rows_rejected = 0, rejects_by_reason = '{}',
            bytes_done = 0, warnings = '[]', summary = NULL, error = NULL
        WHERE uploads.status IN ('failed', 'cancelled', 'withdrawn')
        RETURNING *
        """,
        upload_id_of(file.sha256),
        file.sha256,
        file.file_name,
        kind,
        "processing" if is_small else "received",
        timezone,
        file.size,
        email,
        is_small,
    )
    return row and job_of(row)


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


async def unfinished_uploads(db: asyncpg.Pool) -> dict[str, bool]:
    """Uploads with work to do, oldest first, and whether somebody is at them."""
    rows = await db.fetch(
        """
        SELECT upload_id, EXISTS (
            SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND classid = $1::int::oid
              AND objid = hashtext(upload_id::text)::oid
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ) AS is_held
        FROM uploads WHERE status IN ('received', 'processing') AND phase IS DISTINCT FROM 'settling'
        ORDER BY created_at
        """,
        _LOCK_CLASS,
    )
    return {str(row["upload_id"]): row["is_held"] for row in rows}


async def begin(db: Database, upload_id: str) -> Job | None:
    """Start, or go on behind the checkpoint; None where there is nothing to do any more."""
    row = await db.fetchrow(
        """
        UPDATE uploads SET status = 'processing', phase = CASE WHEN withdrawing THEN 'publishing' ELSE 'parsing' END
        WHERE upload_id = $1 AND status IN ('received', 'processing') AND phase IS DISTINCT FROM 'settling'
        RETURNING *
        """,
        upload_id,
    )
    return row and job_of(row)


async def publishing(db: Database, job: Job) -> None:
    """From here on something of the upload may be in Kafka. Raises `StoppedError` where nothing more may get there.

    Asked on the connection that holds the upload, it also tells a worker that has slept that it holds it no more.
    """
    found = await db.fetchval(
        """
        UPDATE uploads SET phase = 'publishing', in_kafka = true
        WHERE upload_id = $1 AND attempt = $2 AND status = 'processing' RETURNING true
        """,
        job.upload.upload_id,
        job.attempt,
    )
    if not found:
        raise StoppedError


async def save(db: Database, job: Job, reached: Checkpoint, published: Published) -> None:
    """Kafka has acknowledged everything up to here. Raises `StoppedError` where that was the last of it."""
    status: UploadStatus | None = await db.fetchval(
        f"UPDATE uploads SET {_REACHED}, bytes_done = $10 WHERE upload_id = $1 AND attempt = $2 RETURNING status",
        *_reached(job, reached, published),
        reached.counts.bytes_done,
    )
    if status != "processing":
        raise StoppedError


async def hold(db: Database, job: Job, seen: Counts, warnings: list[str], published: Published) -> Upload | None:
    """Wait for a decision; `seen` counts what was read, though the good rows of the last chunk are not published."""
    row = await db.fetchrow(
        """
        UPDATE uploads SET status = 'needs_decision', phase = 'parsing', rows_total = $3, rows_accepted = $4,
                           rows_rejected = $5, rejects_by_reason = $6, bytes_done = $7, warnings = $8, published = $9
        WHERE upload_id = $1 AND attempt = $2 AND status = 'processing' RETURNING *
        """,
        job.upload.upload_id,
        job.attempt,
        seen.total,
        seen.accepted,
        seen.rejected,
        seen.by_reason,
        seen.bytes_done,
        warnings,
        published,
    )
    return row and upload_of(row)


async def complete(
    db: Database, job: Job, reached: Checkpoint, published: Published, summary: UploadSummary | None
) -> Upload:
    """Kafka has everything. Raises `StoppedError` where the upload was stopped just before; it tells so much then."""
    row = await db.fetchrow(
        f"""
        UPDATE uploads SET {_REACHED}, bytes_done = bytes_total, phase = 'settling', awaited = NULL,
                           status = CASE WHEN withdrawing THEN 'processing' ELSE 'completed' END,
                           completed_at = now(), summary = CASE WHEN withdrawing THEN summary ELSE $10 END
        WHERE upload_id = $1 AND attempt = $2 AND status = 'processing' RETURNING *
        """,
        *_reached(job, reached, published),
        summary and summary.model_dump(mode="json"),
    )
    if row is None:
        await save(db, job, reached, published)
        raise StoppedError
    return upload_of(row)


async def fail(db: Database, upload_id: str, error: str, attempt: int | None = None) -> None:
    """A checkpoint of a withdrawal is no place for an import to go on from."""
    await db.execute(
        f"""
        UPDATE uploads SET status = 'failed', phase = NULL, error = $2, completed_at = now(), withdrawing = false,
                           checkpoint = CASE WHEN withdrawing THEN NULL ELSE checkpoint END, {ONLY_IMPORTED}
        WHERE upload_id = $1 AND status IN ('received', 'processing') AND attempt = coalesce($3, attempt)
        """,
        upload_id,
        error,
        attempt,
    )


_REACHED = """
    rows_total = $3, rows_accepted = $4, rows_rejected = $5, rejects_by_reason = $6, warnings = $7, checkpoint = $8,
    published = $9
"""


def _reached(job: Job, reached: Checkpoint, published: Published) -> tuple[Any, ...]:
    counts = reached.counts
    return (
        job.upload.upload_id,
        job.attempt,
        counts.total,
        counts.accepted,
        counts.rejected,
        counts.by_reason,
        reached.warnings,
        reached,
        published,
    )


async def read_job(db: Database, upload_id: str | uuid.UUID) -> Job | None:
    row = await db.fetchrow("SELECT * FROM uploads WHERE upload_id = $1", upload_id)
    return row and job_of(row)


async def read_upload(db: Database, upload_id: str | uuid.UUID) -> Upload | None:
    row = await db.fetchrow("SELECT * FROM uploads WHERE upload_id = $1", upload_id)
    return row and upload_of(row)


async def read_uploads(db: asyncpg.Pool, statuses: list[UploadStatus], cursor: str | None, limit: int) -> UploadPage:
    """Newest first; of any status where none is named."""
    after = decode_cursor(cursor, _ORDER, datetime)
    rows = await db.fetch(
        """
        SELECT * FROM uploads
        WHERE ($1::timestamptz IS NULL OR (created_at, upload_id) < ($1, $2::uuid))
          AND (cardinality($4::text[]) = 0 OR status = ANY($4))
        ORDER BY created_at DESC, upload_id DESC LIMIT $3
        """,
        after and after.value,
        after and after.id,
        limit + 1,
        statuses,
    )
    return UploadPage(
        items=[upload_of(row) for row in rows[:limit]],
        next_cursor=next_cursor(_ORDER, rows, limit, "created_at", "upload_id"),
    )
