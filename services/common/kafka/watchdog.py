"""When a stream processor stands still with work before it, and when it was stopped for longer than its session.

Faust workers are known to stop reading after rebalances and in recovery without any error, and a process that wakes up
after another one took its partitions over would write its old state over the new one.
"""

import asyncio
import signal
import time
from collections.abc import Collection, Hashable, Mapping

from aiokafka import TopicPartition

from services.common.kafka.ending import end_process
from services.common.kafka.lag import Place

BEAT_SECONDS = 1.0


class Standstill:
    """Which partitions have had records waiting for `limit` seconds while their offset did not move."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: dict[TopicPartition, tuple[Hashable, float]] = {}

    def judge(
        self, places: Mapping[TopicPartition, Place], own: Collection[TopicPartition], activity: Hashable, now: float
    ) -> list[TopicPartition]:
        """`own` are the partitions to answer for; where there are none, all are: somebody must read them. What moves
        instead of offsets, as in recovery, is `activity`. Times are seconds of one clock."""
        still: list[TopicPartition] = []
        for partition in own or places:
            place = places[partition]
            seen = (place.next_offset, activity) if place.end > place.next_offset else None
            known, since = self._since.get(partition, (None, now))
            if seen is None or seen != known:
                since = now
            self._since[partition] = seen, since
            if now - since >= self._limit:
                still.append(partition)
        for partition in self._since.keys() - set(own or places):
            del self._since[partition]
        return still

    def forget(self) -> None:
        self._since.clear()


class Pulse:
    """Beats in the event loop; a beat that is `limit` seconds late means that the process was stopped meanwhile."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._beat: float | None = None
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, once."""
        if self._beating is None:
            # Handled before the loop goes on with what lay ready when the process was stopped.
            signal.signal(signal.SIGCONT, lambda *_: self.check())
            self._beating = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)

    def check(self) -> None:
        """End the process if another may have its partitions by now."""
        asleep = time.monotonic() - self._beat if self._beat is not None else 0.0
        if asleep > self._limit:
            end_process("stopped for longer than the session lasts", seconds=round(asleep, 1))
