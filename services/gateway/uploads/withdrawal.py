"""What an upload brought, published once more to take it back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from msgspec.structs import replace

from services.common.corsight.files import FileError
from services.common.kafka.producer import EventProducer
from services.gateway.models import Upload
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.job import Checkpoint, Counts, Job
from services.gateway.uploads.pipeline import Journal, checkpoint_behind, portions_behind, publish_items
from services.gateway.uploads.resolutions import Fix
from services.gateway.uploads.store import RawStore


async def withdraw_file(
    job: Job,
    store: RawStore,
    producer: EventProducer,
    settings: GatewaySettings,
    journal: Journal,
    fixes: AsyncIterator[Sequence[Fix]],
) -> Upload:
    """Read the file as its import did, and publish every accepted item as withdrawn, and what fixed rows became.

    All of it, also behind the place where the import stopped: what was never reported is not missed.
    Raises `FileNotFoundError` where the store has the file no more and `PublishError` where Kafka does not acknowledge.
    """
    upload = job.upload
    reached = job.checkpoint or Checkpoint(
        Counts(upload.rows_accepted, upload.rows_rejected, upload.rejects_by_reason), warnings=upload.warnings
    )
    published = job.published
    # Where the file cannot be read on, the import ended, too.
    with suppress(FileError):
        async with portions_behind(job, store, settings) as portions:
            async for portion in portions:
                await journal.publishing()
                for chunk in portion:
                    items = [replace(item, withdrawn=True) for item in chunk.items]
                    published = await publish_items(job, items, producer, published)
                counts = replace(reached.counts, bytes_done=portion[-1].bytes_consumed)
                reached = checkpoint_behind(portion[-1], counts, reached.warnings)
                if not job.is_small:
                    await journal.reached(reached, published)
    async for fixed in fixes:
        await journal.publishing()
        items = [replace(fix.item, withdrawn=True) for fix in fixed]
        published = await publish_items(job, items, producer, published)
    return await journal.completed(reached, published, None)
