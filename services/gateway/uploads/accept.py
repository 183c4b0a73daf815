"""What becomes of a stored file: refused, known already, worked on at once, or queued."""

import asyncio
from typing import BinaryIO

from services.common import clock
from services.common.corsight.files import FileError, FileKind
from services.common.kafka.producer import PublishError
from services.gateway.dependencies import Resources
from services.gateway.errors import FileTooLargeError, GatewayError, UnsupportedFileError, UnusableFileError
from services.gateway.models import Upload, UploadStatus
from services.gateway.uploads import progress
from services.gateway.uploads.pipeline import inspect
from services.gateway.uploads.receive import ReceivedFile
from services.gateway.uploads.work import work_on

_REFUSALS: dict[int, type[GatewayError]] = {
    415: UnsupportedFileError,
    422: UnusableFileError,
    413: FileTooLargeError,
}


async def accept_file(file: ReceivedFile, zone: str, email: str, opened: Resources) -> Upload:
    """The upload that these bytes belong to; `duplicate` where they came before. Raises `GatewayError` for refusals."""
    if known := await _known(file, opened):
        return known
    try:
        kind, unpacked_size = await asyncio.to_thread(_inspected, file, zone, opened)
    except FileError as error:
        await _refuse(file, zone, email, error, opened)
        raise _REFUSALS[error.status](str(error)) from None

    is_small = unpacked_size <= opened.settings.inline_limit_bytes
    status: UploadStatus = "processing" if is_small else "received"
    upload = await progress.claim(opened.db, file, zone, kind.kind, email, status)
    if upload is None:
        known = await _known(file, opened)
        assert known is not None
        return known
    if not is_small:
        opened.feeder.wake()
        return upload
    return await _work_at_once(upload, opened)


async def _work_at_once(upload: Upload, opened: Resources) -> Upload:
    try:
        async with opened.inline_uploads:
            completed = await work_on(upload.upload_id, opened.db, opened.producer, opened.store, opened.settings)
    except FileError as error:
        raise _REFUSALS[error.status](str(error)) from None
    except PublishError:
        await progress.fail(opened.db, upload.upload_id, "Kafka did not acknowledge; upload the file again.")
        raise
    return completed or upload


async def _known(file: ReceivedFile, opened: Resources) -> Upload | None:
    found = await progress.read_upload(opened.db, progress.upload_id_of(file.sha256))
    if found is None or found.status == "failed":
        return None
    return found.model_copy(update={"duplicate": True})


async def _refuse(file: ReceivedFile, zone: str, email: str, error: FileError, opened: Resources) -> None:
    """Keep the refusal in the history, and of what is no CSV or JSON nothing else."""
    upload = await progress.claim(opened.db, file, zone, None, email, "processing")
    if upload is not None:
        await progress.fail(opened.db, upload.upload_id, str(error))
    if error.status == UnsupportedFileError.status:
        await asyncio.to_thread(opened.store.remove, file.sha256)


def _inspected(file: ReceivedFile, zone: str, opened: Resources) -> tuple[FileKind, int]:
    """What the file is, and how many bytes it has unpacked."""
    with opened.store.open(file.sha256) as raw:
        kind = inspect(raw, file.file_name, zone, clock.now(), opened.settings)
        return kind, _trailing_size(raw, file.size) if kind.gzipped else file.size


def _trailing_size(raw: BinaryIO, size: int) -> int:
    """What the trailer of a packed file says, which is only a hint: reading keeps its own limits."""
    raw.seek(-4, 2)
    return max(size, int.from_bytes(raw.read(4), "little"))
