"""Ends a stream processor that stands still with work before it, or that was stopped for longer than its session.

Faust workers are known to stop reading after rebalances and in recovery without any error, and a process that wakes up
after another one took its partitions over would write its old state over the new one.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from services.common.kafka.ending import end_process
from services.common.kafka.lag import LagProbe, Place
from services.common.logging import get_logger
from services.common.settings import CommonSettings
from services.common.topics import SPECS, Topic

log = get_logger(__name__)

LOOK_SECONDS = 5.0
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
        self._beat = time.monotonic()

    async def run(self) -> None:
        # Handled before the loop goes on with what lay ready when the process was stopped.
        signal.signal(signal.SIGCONT, lambda *_: self.check())
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)

    def check(self) -> None:
        """End the process if another may have its partitions by now."""
        asleep = time.monotonic() - self._beat
        if asleep > self._limit:
            end_process("stopped for longer than the session lasts", seconds=round(asleep, 1))


def watch(app: faust.App, settings: CommonSettings, topics: tuple[Topic, ...]) -> None:
    """Watch from a thread of its own, with connections of its own, so that a blocked event loop is seen too."""
    threading.Thread(target=lambda: asyncio.run(_watch(app, settings, topics)), name="watchdog", daemon=True).start()


async def _watch(app: faust.App, settings: CommonSettings, topics: tuple[Topic, ...]) -> None:
    standstill = Standstill(settings.watchdog_seconds)
    while True:
        try:
            async with LagProbe(settings.kafka_bootstrap, app.conf.id, topics, settings.lag_limit) as probe:
                while True:
                    places = await probe.places()
                    if still := standstill.judge(places, _assigned(app), _recovered(app), time.monotonic()):
                        end_process("records wait and none is committed", partitions=sorted(map(str, still)))
                    await asyncio.sleep(LOOK_SECONDS)
        except (KafkaError, OSError, TimeoutError) as error:
            # A broker that is away is no standstill of this process, and a new one could do no better.
            log.info("cannot watch the offsets", reason=str(error))
            standstill.forget()
            await asyncio.sleep(LOOK_SECONDS)


def _assigned(app: faust.App) -> list[TopicPartition]:
    try:
        assigned: Any = app.consumer.assignment()
    except ConsumerNotStarted:
        return []
    return [TopicPartition(tp.topic, tp.partition) for tp in assigned if tp.topic in SPECS]


def _recovered(app: faust.App) -> int:
    """Grows while state is being recovered."""
    tables: Any = app.tables
    offsets: Mapping[Any, int | None] = tables.recovery.active_offsets
    return sum(offset or 0 for offset in offsets.values())
