"""One upload from its row to its end, wherever it is worked on: in the request or in the worker."""

from collections.abc import Awaitable, Callable

import asyncpg

from services.common.corsight.files import FileError
from services.common.kafka.producer import EventProducer
from services.common.logging import get_logger
from services.gateway.models import Upload, UploadSummary
from services.gateway.settings import GatewaySettings
from services.gateway.uploads import progress
from services.gateway.uploads.job import Checkpoint, Counts, Job, Published, StoppedError
from services.gateway.uploads.pipeline import import_file
from services.gateway.uploads.resolutions import fixes_of
from services.gateway.uploads.store import RawStore
from services.gateway.uploads.withdrawal import withdraw_file

log = get_logger(__name__)

Tell = Callable[[str], None]
"""Called with the id of an upload that has changed."""

KeepPace = Callable[[Published], Awaitable[None]]
"""Called between the parts of a large file with what is published by then; returns when more may follow."""


async def work_on(
    upload_id: str,
    db: asyncpg.Pool,
    producer: EventProducer,
    store: RawStore,
    settings: GatewaySettings,
    tell: Tell,
    keep_pace: KeepPace | None = None,
) -> Upload | None:
    """Import or withdraw the upload and return it as it is then; None where there is nothing to do, or no more.

    What the file is to blame for fails the upload. What the servers are to blame for (`PublishError`, a lost
    connection) is raised and leaves the row as it is: somebody takes it up again behind the last checkpoint.
    """
    # All of it on the one connection: to wait for another while holding this one could lock the pool up.
    async with progress.working_on(db, upload_id) as held:
        job = await progress.begin(held, upload_id) if held else None
        if held is None or job is None:
            return None
        tell(upload_id)
        upload: Upload | None
        try:
            journal = _Journal(held, job, tell, keep_pace)
            if job.upload.withdrawing:
                upload = await withdraw_file(job, store, producer, settings, journal, fixes_of(held, upload_id))
            else:
                upload = await import_file(job, store, producer, settings, journal)
        except StoppedError:
            upload = None
        except FileError as error:
            await progress.fail(held, upload_id, str(error), job.attempt)
            raise
        except FileNotFoundError:
            await progress.fail(held, upload_id, "The raw file is gone; upload it again.", job.attempt)
            raise
        finally:
            tell(upload_id)
    if upload is None:
        log.info("upload stopped", upload_id=upload_id)
    else:
        log.info("upload worked on", upload_id=upload_id, status=upload.status, rows=upload.rows_total)
    return upload


class _Journal:
    """The pipeline's word, in the upload's row."""

    def __init__(self, held: asyncpg.Connection, job: Job, tell: Tell, keep_pace: KeepPace | None) -> None:
        self._held = held
        self._job = job
        self._tell = tell
        self._keep_pace = keep_pace

    async def publishing(self) -> None:
        await progress.publishing(self._held, self._job)

    async def reached(self, checkpoint: Checkpoint, published: Published) -> None:
        await progress.save(self._held, self._job, checkpoint, published)
        self._tell(self._job.upload.upload_id)
        if self._keep_pace:
            await self._keep_pace(published)

    async def held(self, seen: Counts, warnings: list[str], published: Published) -> Upload | None:
        return await progress.hold(self._held, self._job, seen, warnings, published)

    async def completed(self, checkpoint: Checkpoint, published: Published, summary: UploadSummary | None) -> Upload:
        return await progress.complete(self._held, self._job, checkpoint, published, summary)
