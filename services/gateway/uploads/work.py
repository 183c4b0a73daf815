"""One upload from its row to its end, wherever it is worked on: in the request or in the worker."""

import asyncpg

from services.common.corsight.files import FileError
from services.common.kafka.producer import EventProducer
from services.common.logging import get_logger
from services.gateway.models import Upload
from services.gateway.settings import GatewaySettings
from services.gateway.uploads import progress
from services.gateway.uploads.pipeline import run_pipeline
from services.gateway.uploads.store import RawStore

log = get_logger(__name__)


async def work_on(
    upload_id: str, db: asyncpg.Pool, producer: EventProducer, store: RawStore, settings: GatewaySettings
) -> Upload | None:
    """Process the upload and return it completed; None where somebody else works on it or it is finished.

    What the file is to blame for fails the upload. What the servers are to blame for (`PublishError`, a lost
    connection) is raised and leaves the row as it is: somebody takes it up again.
    """
    # All of it on the one connection: to wait for another while holding this one could lock the pool up.
    async with progress.working_on(db, upload_id) as held:
        upload = await progress.begin(held, upload_id) if held else None
        if upload is None:
            return None

        async def report(counts: progress.Counts) -> None:
            await progress.save_counts(held, upload_id, counts)

        try:
            outcome = await run_pipeline(upload, store, producer, settings, report)
        except FileError as error:
            await progress.fail(held, upload_id, str(error))
            raise
        except FileNotFoundError:
            await progress.fail(held, upload_id, "The raw file is gone; upload it again.")
            raise
        completed = await progress.complete(held, upload_id, outcome.summary, outcome.warnings)
    log.info("upload completed", upload_id=upload_id, rows=completed.rows_total if completed else None)
    return completed
