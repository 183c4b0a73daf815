"""The queue of large uploads: Celery over Redis, always refilled from the upload rows."""

import asyncio

import asyncpg
from celery import Celery
from redis.asyncio import Redis

from services.common.logging import get_logger
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.progress import unfinished_uploads

log = get_logger(__name__)

QUEUE = "dwell.uploads"
TASK = "dwell.process_upload"

REFILL_SECONDS = 15

HELD_SECONDS = 1
"""Between looks while somebody is at an upload: whoever dies, or is stopped while it is begun anew, leaves it."""


def create_queue(settings: GatewaySettings) -> Celery:
    queue = Celery("dwell-uploads", broker=settings.redis_url)
    queue.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # A task in hand is a file of minutes: one that waits behind it is better with another worker.
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        # pandas keeps what it once needed; a fresh child gives it back.
        worker_max_tasks_per_child=20,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=3,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 3},
    )
    return queue


class QueueFeeder:
    """Puts every waiting upload into the queue, again after Redis has lost it; a repetition does no harm."""

    def __init__(self, db: asyncpg.Pool, redis: Redis, queue: Celery) -> None:
        self._db = db
        self._redis = redis
        self._queue = queue
        self._queued: set[str] = set()
        self._wake = asyncio.Event()

    def wake(self, begun: str | None = None) -> None:
        """Look at once instead of at the next turn; an upload begun anew is queued another time."""
        self._queued.discard(begun or "")
        self._wake.set()

    async def run(self) -> None:
        while True:
            pause = REFILL_SECONDS
            try:
                if await self.feed():
                    pause = HELD_SECONDS
            except Exception as error:
                log.warning("upload queue not fed", error=f"{type(error).__name__}: {error}")
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def feed(self) -> bool:
        """Whether somebody is at an upload."""
        unfinished = await unfinished_uploads(self._db)
        waiting = [upload_id for upload_id, is_held in unfinished.items() if not is_held]
        # What is worked on or finished may have to be queued another time.
        self._queued.intersection_update(waiting)
        # An empty queue holds nothing of what was put there: it was taken up, or Redis has lost it.
        if waiting and await self._redis.llen(QUEUE) == 0:
            self._queued.clear()
        for upload_id in waiting:
            if upload_id not in self._queued:
                await asyncio.to_thread(self._queue.send_task, TASK, [upload_id], retry=False)
                self._queued.add(upload_id)
                log.info("upload queued", upload_id=upload_id)
        return len(waiting) < len(unfinished)
