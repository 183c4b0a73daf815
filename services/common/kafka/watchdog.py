"""When a reader of topics stands still with work before it, and when it was stopped for longer than its session.

Faust workers are known to stop reading after rebalances and in recovery without any error, and aiokafka after a broker
was away; and a process that wakes up after another one took its partitions over would write its old state over the new
one.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Collection, Hashable, Mapping

from aiokafka import TopicPartition

from services.common.health import Health
from services.common.kafka.ending import end_process
from services.common.kafka.lag import LagProbe, Place
from services.common.logging import get_logger
from services.common.patience import not_connected
from services.common.settings import CommonSettings
from services.common.topics import Topic

log = get_logger(__name__)

BEAT_SECONDS = 1.0

LOOK_SECONDS = 5.0

LOOK_LIMIT_SECONDS = 60.0
"""What may keep a consumer from going on may keep whoever watches it from seeing so."""


class Standstill:
    """Which partitions have had records waiting for `limit` seconds while their offset did not move."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: dict[TopicPartition, tuple[Hashable, float]] = {}

    def judge(
        self,
        places: Mapping[TopicPartition, Place],
        own: Collection[TopicPartition],
        activity: Callable[[TopicPartition], Hashable],
        now: float,
    ) -> list[TopicPartition]:
        """`own` are the partitions to answer for; where there are none, all are: somebody must read them. What moves
        instead of a partition's offset, as in recovery, is `activity`. Times are seconds of one clock."""
        still: list[TopicPartition] = []
        for partition in own or places:
            place = places[partition]
            seen = (place.next_offset, activity(partition)) if place.end > place.next_offset else None
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


class Watchdog:
    """Ends the process when records wait and none is committed for `watchdog_seconds`.

    `own` tells the partitions that the process answers for at the moment, and `activity` changes with whatever it gets
    done of a partition without committing; see `Standstill.judge`.
    """

    def __init__(
        self,
        settings: CommonSettings,
        group: str,
        topics: tuple[Topic, ...],
        own: Callable[[], Collection[TopicPartition]],
        activity: Callable[[TopicPartition], Hashable],
    ) -> None:
        self._settings = settings
        self._group = group
        self._topics = topics
        self._own = own
        self._activity = activity
        self._probe: LagProbe | None = None

    async def check(self) -> Health:
        """How far the group is behind."""
        return await (self._probe.check() if self._probe else not_connected())

    async def run(self) -> None:
        """Look now and then, for ever."""
        settings = self._settings
        standstill = Standstill(settings.watchdog_seconds)
        while True:
            try:
                async with LagProbe(
                    settings.kafka_bootstrap, self._group, self._topics, settings.lag_limit
                ) as self._probe:
                    while True:
                        async with asyncio.timeout(LOOK_LIMIT_SECONDS):
                            places = await self._probe.places()
                        still = standstill.judge(places, self._own(), self._activity, time.monotonic())
                        if still:
                            end_process("records wait and none is committed", partitions=sorted(map(str, still)))
                        await asyncio.sleep(LOOK_SECONDS)
            except Exception as error:
                # A broker that is away is no standstill of this process, and a new one could do no better.
                log.info("cannot watch the offsets", reason=f"{type(error).__name__}: {error}")
                standstill.forget()
                await asyncio.sleep(LOOK_SECONDS)


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
