"""Repaired sessions, from the outbox to sessions.v1, so that whoever reads the topic has what the table has."""

import asyncio

import asyncpg
import msgspec

from services.common.events.sessions import Session
from services.common.failpoints import failpoint
from services.common.health import Health
from services.common.kafka.producer import EventProducer, PublishError
from services.common.logging import get_logger
from services.common.topics import Topic
from services.sink.writer import FIRST_PAUSE_SECONDS, TROUBLE

log = get_logger(__name__)

SOURCE = "sink"

AT_ONCE = 2_000

_WAITING = "SELECT outbox_id, session FROM session_outbox ORDER BY outbox_id LIMIT $1"

_DONE = "DELETE FROM session_outbox WHERE outbox_id = ANY($1)"


class Teller:
    """Publishes what waits in the outbox: at the start what a crash left, then whenever it is told that there is more.

    A crash between the publication and the deletion publishes a record again, which no reader minds.
    """

    def __init__(self, pool: asyncpg.Pool, producer: EventProducer, longest_pause_seconds: float) -> None:
        self._pool = pool
        self._producer = producer
        self._longest_pause_seconds = longest_pause_seconds
        self._more = asyncio.Event()
        self._more.set()
        self._trouble: str | None = None

    def tell(self) -> None:
        """There may be something in the outbox."""
        self._more.set()

    async def run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                while await self._publish_some():
                    pass
                self._trouble, pause = None, FIRST_PAUSE_SECONDS
            except (PublishError, *TROUBLE) as error:
                self._trouble = f"{type(error).__name__}: {error}"
                log.error("cannot tell of repaired sessions, will try again", reason=self._trouble, pause_seconds=pause)
                self._more.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._longest_pause_seconds)

    async def check(self) -> Health:
        if self._trouble:
            return Health(ok=False, detail={"error": self._trouble})
        return Health(ok=True, detail={})

    async def _publish_some(self) -> bool:
        rows = await self._pool.fetch(_WAITING, AT_ONCE)
        if rows:
            sessions = [msgspec.convert(row["session"], Session) for row in rows]
            await self._producer.publish(Topic.SESSIONS, sessions, SOURCE)
            failpoint("sink.after_telling")
            await self._pool.execute(_DONE, [row["outbox_id"] for row in rows])
        return bool(rows)
