"""What becomes of a stored file: refused, known already, worked on at once, or queued."""

import asyncio
import gzip
import zlib
from contextlib import suppress
from typing import BinaryIO

from services.common import clock
from services.common.corsight.files import FileError, FileKind
from services.common.kafka.producer import PublishError
from services.gateway.dependencies import Resources
from services.gateway.errors import (
    ConflictError,
    FileTooLargeError,
    GatewayError,
    UnsupportedFileError,
    UnusableFileError,
)
from services.gateway.models import Upload
from services.gateway.uploads import progress
from services.gateway.uploads.job import Job
from services.gateway.uploads.pipeline import inspect
from services.gateway.uploads.receive import ReceivedFile
from services.gateway.uploads.work import work_on

_BLOCK_BYTES = 1 << 20

_REFUSALS: dict[int, type[GatewayError]] = {
    415: UnsupportedFileError,
    422: UnusableFileError,
    413: FileTooLargeError,
}


async def accept_file(file: ReceivedFile, zone: str, email: str, opened: Resources) -> Upload:
    """The upload that these bytes belong to; `duplicate` where they came before. Raises `GatewayError` for refusals.

    Whoever sends a small file again whose import broke off never had an answer: that import is gone on with for him.
    """
    left = await progress.read_job(opened.db, progress.upload_id_of(file.sha256))
    if left and _may_be_interrupted(left, zone) and (taken_up := await _work_at_once(left, opened)):
        return taken_up
    if known := await _known(file, zone, opened):
        return known
    try:
        kind, is_small = await asyncio.to_thread(_inspected, file, zone, opened)
    except FileError as error:
        await _refuse(file, zone, email, error, opened)
        raise _REFUSALS[error.status](str(error)) from None

    job = await progress.claim(opened.db, file, zone, kind.kind, email, is_small=is_small)
    if job is None:
        known = await _known(file, zone, opened)
        assert known is not None
        return known
    return await go_on_with(job, opened)


def _may_be_interrupted(job: Job, zone: str) -> bool:
    """If so nobody is at it: these phases begin and end with whoever holds the upload."""
    upload = job.upload
    is_at_work = upload.status == "processing" and upload.phase in ("parsing", "publishing")
    return job.is_small and is_at_work and not upload.withdrawing and upload.timezone == zone


async def go_on_with(job: Job, opened: Resources) -> Upload:
    """Work on a small upload at once and queue a large one; the upload as it is then."""
    upload_id = job.upload.upload_id
    opened.announcer.tell(upload_id)
    if not job.is_small:
        opened.feeder.wake(upload_id)
        return job.upload
    if worked_on := await _work_at_once(job, opened):
        return worked_on
    # Whoever is at it still has not seen yet that it was begun anew.
    opened.feeder.wake(upload_id)
    return await progress.read_upload(opened.db, upload_id) or job.upload


async def _work_at_once(job: Job, opened: Resources) -> Upload | None:
    """The upload as it is then; None where somebody else is at it, or there is nothing to do any more."""
    upload_id = job.upload.upload_id
    try:
        async with opened.inline_uploads:
            worked_on = await work_on(
                upload_id, opened.db, opened.producer, opened.store, opened.settings, opened.announcer.tell
            )
    except FileError as error:
        raise _REFUSALS[error.status](str(error)) from None
    except PublishError:
        if job.upload.withdrawing:
            opened.feeder.wake(upload_id)
            return job.upload
        await progress.fail(
            opened.db, upload_id, "Kafka did not acknowledge; retry, or upload the file again.", job.attempt
        )
        raise
    opened.settler.wake()
    return worked_on


async def _known(file: ReceivedFile, zone: str, opened: Resources) -> Upload | None:
    """Raises `ConflictError` where a part of these bytes was taken with times in another zone."""
    job = await progress.read_job(opened.db, progress.upload_id_of(file.sha256))
    if job is None or job.upload.status == "withdrawn":
        return None
    if job.upload.status not in ("failed", "cancelled"):
        return job.upload.model_copy(update={"duplicate": True})
    if job.in_kafka and job.upload.timezone != zone:
        raise ConflictError(
            f"A part of this file was imported before, with times in {job.upload.timezone}: delete that upload first, "
            "or name that zone."
        )
    return None


async def _refuse(file: ReceivedFile, zone: str, email: str, error: FileError, opened: Resources) -> None:
    """Keep the refusal in the history, and of what is no CSV or JSON nothing else."""
    job = await progress.claim(opened.db, file, zone, None, email, is_small=True)
    if job is not None:
        await progress.fail(opened.db, job.upload.upload_id, str(error), job.attempt)
    if error.status == UnsupportedFileError.status:
        await asyncio.to_thread(opened.store.remove, file.sha256)


def _inspected(file: ReceivedFile, zone: str, opened: Resources) -> tuple[FileKind, bool]:
    """What the file is, and whether it is small."""
    limit = opened.settings.inline_limit_bytes
    with opened.store.open(file.sha256) as raw:
        kind = inspect(raw, file.file_name, zone, clock.now(), opened.settings)
        return kind, file.size <= limit and (not kind.gzipped or _unpacks_within(limit, raw))


def _unpacks_within(limit: int, raw: BinaryIO) -> bool:
    """Tried, for the size in the trailer is the sender's word and that of the last part alone."""
    raw.seek(0)
    size = 0
    with gzip.GzipFile(fileobj=raw) as packed, suppress(EOFError, OSError, zlib.error):
        while size <= limit and (block := packed.read1(_BLOCK_BYTES)):
            size += len(block)
    return size <= limit
