"""What people do with an upload that is here: decide, cancel, retry, withdraw. Each in the states that allow it."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in is a list of columns

import asyncio
from typing import Literal

import asyncpg

from services.gateway.dependencies import Resources
from services.gateway.errors import ConflictError
from services.gateway.models import Upload
from services.gateway.uploads import progress
from services.gateway.uploads.accept import go_on_with
from services.gateway.uploads.job import Job, job_of

_IMPORT = """
UPDATE uploads SET status = 'received', phase = 'receiving', is_decided = true, attempt = attempt + 1
WHERE upload_id = $1 AND status = 'needs_decision' RETURNING *
"""

_CANCEL = f"""
UPDATE uploads SET status = 'cancelled', phase = NULL, completed_at = now(), {progress.ONLY_IMPORTED}
WHERE upload_id = $1 AND status IN ('received', 'processing', 'needs_decision') AND NOT withdrawing RETURNING *
"""

_RETRY = """
UPDATE uploads SET status = 'received', phase = 'receiving', error = NULL, completed_at = NULL, attempt = attempt + 1
WHERE upload_id = $1 AND status IN ('failed', 'cancelled') AND kind IS NOT NULL RETURNING *
"""

# Nothing to take back of what never got to Kafka: that settles at once.
_WITHDRAW = """
UPDATE uploads SET status = 'processing', phase = CASE WHEN in_kafka THEN 'publishing' ELSE 'settling' END,
                   withdrawing = true, checkpoint = NULL, awaited = NULL, error = NULL, completed_at = NULL,
                   bytes_done = 0, attempt = attempt + 1
WHERE upload_id = $1 AND status = ANY($2) RETURNING *
"""

_WITHDRAWABLE = ("completed", "failed", "cancelled", "needs_decision")


async def decide(upload: Upload, choice: Literal["import", "drop"], opened: Resources) -> Upload:
    """Import the good rows of an upload that is held, or none. Raises `ConflictError` where it is not held."""
    if choice == "drop":
        return await _withdraw(upload, ("needs_decision",), opened)
    return await go_on_with(await _changed(opened.db, upload, "decided on", _IMPORT), opened)


async def cancel(upload: Upload, opened: Resources) -> Upload:
    """Import no more of it. What was published before stays until the upload is withdrawn."""
    job = await _changed(opened.db, upload, "cancelled", _CANCEL)
    opened.announcer.tell(upload.upload_id)
    return job.upload


async def retry(upload: Upload, opened: Resources) -> Upload:
    """Go on where a failed or cancelled upload stopped."""
    if upload.status == "failed" and upload.kind is None:
        raise ConflictError("The file itself was refused: upload a corrected one.")
    await _check_raw_file(upload, opened)
    return await go_on_with(await _changed(opened.db, upload, "retried", _RETRY), opened)


async def withdraw(upload: Upload, opened: Resources) -> Upload:
    """Begin to take back what only this upload brought."""
    return await _withdraw(upload, _WITHDRAWABLE, opened)


async def _withdraw(upload: Upload, states: tuple[str, ...], opened: Resources) -> Upload:
    job = await progress.read_job(opened.db, upload.upload_id)
    if job is not None and job.in_kafka:
        await _check_raw_file(upload, opened)
    job = await _changed(opened.db, upload, "withdrawn", _WITHDRAW, states)
    if job.in_kafka:
        return await go_on_with(job, opened)
    opened.announcer.tell(upload.upload_id)
    opened.settler.wake()
    return job.upload


async def _check_raw_file(upload: Upload, opened: Resources) -> None:
    if not await asyncio.to_thread(opened.store.exists, upload.sha256):
        raise ConflictError("The raw file is gone.")


async def _changed(db: asyncpg.Pool, upload: Upload, act: str, statement: str, *arguments: object) -> Job:
    row = await db.fetchrow(statement, upload.upload_id, *arguments)
    if row is None:
        found = await progress.read_upload(db, upload.upload_id) or upload
        state = "being withdrawn" if found.withdrawing else found.status
        raise ConflictError(f"The upload cannot be {act}: it is {state}.")
    return job_of(row)
