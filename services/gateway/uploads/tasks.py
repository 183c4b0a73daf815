"""The worker of large uploads: ``celery -A services.gateway.uploads.tasks:app worker``."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError
from celery.signals import setup_logging

from services.common.corsight.files import FileError
from services.common.kafka.offsets import OffsetReader
from services.common.kafka.producer import EventProducer, PublishError
from services.common.logging import configure_logging, get_logger
from services.common.postgres import SERVER_AWAY, create_pool
from services.common.redis import create_redis
from services.gateway.errors import UnavailableError
from services.gateway.settings import GatewaySettings
from services.gateway.uploads import progress
from services.gateway.uploads.following import Announcer
from services.gateway.uploads.pace import Pace
from services.gateway.uploads.queue import TASK, create_queue
from services.gateway.uploads.settling import look
from services.gateway.uploads.store import open_store
from services.gateway.uploads.work import KeepPace, Tell, work_on

log = get_logger(__name__)

INTERRUPTIONS: tuple[type[Exception], ...] = (PublishError, KafkaError, UnavailableError, *SERVER_AWAY)
"""No fault of the upload's: the row stays as it is, and the gateway queues it again."""

settings = GatewaySettings()
app = create_queue(settings)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _logging(**_: Any) -> None:
    configure_logging("upload-worker", settings.log_level)


@app.task(name=TASK)  # type: ignore[untyped-decorator]
def process_upload(upload_id: str) -> None:
    """Runs to the upload's end, or ends early and leaves it to the gateway to queue it again."""
    asyncio.run(_process(upload_id))


async def _process(upload_id: str) -> None:
    try:
        async with (
            await create_pool(settings.postgres_dsn, "upload-worker", max_size=3) as db,
            EventProducer(settings.kafka_bootstrap, "upload-worker") as producer,
            OffsetReader(settings.kafka_bootstrap, "upload-worker") as offsets,
            create_redis(settings.redis_url, "upload-worker") as redis,
        ):
            announcer = Announcer(redis)
            try:
                await _work(upload_id, db, producer, announcer.tell, Pace(partial(look, db, offsets)).keep)
            finally:
                await announcer.flush()
    except INTERRUPTIONS as error:
        log.warning("upload interrupted", upload_id=upload_id, error=f"{type(error).__name__}: {error}")


async def _work(upload_id: str, db: asyncpg.Pool, producer: EventProducer, tell: Tell, keep_pace: KeepPace) -> None:
    try:
        await work_on(upload_id, db, producer, open_store(settings), settings, tell, keep_pace)
    except FileError as error:
        log.info("upload failed", upload_id=upload_id, error=str(error))
    except INTERRUPTIONS:
        raise
    except Exception:
        # Queued again it would fail again: whoever sent it is told, and may try again.
        log.exception("upload failed", upload_id=upload_id)
        await progress.fail(db, upload_id, "Internal error; the log tells more.")
