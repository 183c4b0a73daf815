"""Between reading and publishing: what came and is not in Kafka yet."""

import asyncio
from collections import deque

from msgspec import Raw

from services.common.events.quarantine import Quarantined

Came = Raw | Quarantined
"""An event, or what was too long to be taken as one."""


class Waiting:
    """Holds about `max_bytes`: whoever adds more waits for room, and so stops reading its connection."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._came: deque[Came] = deque()
        self._taken = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def is_empty(self) -> bool:
        """Kafka has all that came."""
        return not self._bytes

    async def add(self, came: list[Came]) -> None:
        """Returns when there is room for more."""
        if came:
            self._came += came
            self._bytes += sum(map(_size, came))
            self._some.set()
            if self._bytes >= self._max_bytes:
                self._room.clear()
        await self._room.wait()

    async def take(self, count: int) -> list[Came]:
        """The oldest, at least one and at most `count`. They take up room until `done`."""
        while not self._came:
            self._some.clear()
            await self._some.wait()
        taken = [self._came.popleft() for _ in range(min(count, len(self._came)))]
        self._taken = sum(map(_size, taken))
        return taken

    def done(self) -> None:
        """What was taken last needs no room any more."""
        self._bytes -= self._taken
        self._taken = 0
        if self._bytes < self._max_bytes:
            self._room.set()


def _size(came: Came) -> int:
    return len(came.raw) if isinstance(came, Quarantined) else memoryview(came).nbytes
