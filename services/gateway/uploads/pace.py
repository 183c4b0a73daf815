"""A large file keeps close behind those who read it, so that live events do not wait behind all of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from services.gateway.uploads.job import Published
from services.gateway.uploads.settling import Awaited, View

PARTS_AHEAD = 3
"""Of 10,000 rows each: some three seconds of work for the readers, who commit once a second."""

LOOK_SECONDS = 0.2

MAX_LOOKS = 25
"""A reader that stands still keeps a file slow, but not from getting into Kafka."""


class Pace:
    """Waits with a file's next part until the processor and the sink, or insights, have passed one before.

    Raises what `look` raises: `KafkaError`, or what PostgreSQL's driver does.
    """

    def __init__(self, look: Callable[[], Awaitable[View]]) -> None:
        self._look = look
        self._ahead: deque[Awaited] = deque()

    async def keep(self, published: Published) -> None:
        """Called after each part with what is published by then; returns when the next may follow."""
        self._ahead.append(Awaited(0, published))
        if len(self._ahead) <= PARTS_AHEAD:
            return
        awaited = self._ahead.popleft()
        for _ in range(MAX_LOOKS):
            if (await self._look()).has_passed(awaited):
                return
            await asyncio.sleep(LOOK_SECONDS)
