"""Word of uploads that changed, over Redis, to whoever follows them. A hint and never the news itself.

Each upload has a channel of its own. What is said there is only that it changed: PostgreSQL tells how.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.logging import get_logger

log = get_logger(__name__)

_CHANNEL = "dwell:upload:"

POLL_SECONDS = 0.5
"""Between looks while Redis is away."""

LOOK_SECONDS = 2.0
"""Between looks while nothing is heard: a message sent while a connection is made anew is lost."""

_AWAY = (RedisError, OSError, TimeoutError)


class Announcer:
    """Tells in the background, so that a Redis which is slow or away holds nobody up; what is not told is dropped."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, upload_id: str) -> None:
        self._due.add(upload_id)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def flush(self) -> None:
        """Wait until everything is told, or dropped."""
        if self._telling is not None:
            await self._telling

    async def _tell(self) -> None:
        while self._due:
            try:
                await self._redis.publish(f"{_CHANNEL}{self._due.pop()}", b"changed")
            except _AWAY as error:
                log.info("not told on Redis", error=f"{type(error).__name__}: {error}")
                self._due.clear()


class Listener:
    """Hears of every upload on one connection, and wakes those in this process who follow it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._hears: bool | None = None

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if self._hears is not False:
                    log.warning("uploads are followed without Redis", error=f"{type(error).__name__}: {error}")
            self._hears = False
            await asyncio.sleep(POLL_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as channels:
            await channels.psubscribe(f"{_CHANNEL}*")
            self._hears = True
            while True:
                message = await channels.get_message(ignore_subscribe_messages=True, timeout=LOOK_SECONDS)
                if message is not None:
                    upload_id = message["channel"].decode().removeprefix(_CHANNEL)
                    for changed in self._followers.get(upload_id, ()):
                        changed.set()

    @contextmanager
    def following(self, upload_id: str) -> Iterator[asyncio.Event]:
        """Set whenever the upload has changed."""
        changed = asyncio.Event()
        self._followers.setdefault(upload_id, set()).add(changed)
        try:
            yield changed
        finally:
            self._followers[upload_id].discard(changed)
            if not self._followers[upload_id]:
                del self._followers[upload_id]

    async def next_look(self, changed: asyncio.Event) -> None:
        """Wait until it is time to look at the upload again."""
        try:
            async with asyncio.timeout(LOOK_SECONDS if self._hears else POLL_SECONDS):
                await changed.wait()
        except TimeoutError:
            return
        changed.clear()
