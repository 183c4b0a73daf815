"""Feeds the handler of the insights service with records of one partition, without Kafka."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from services.common import clock
from services.common.events.alerts import AlertRule
from services.common.events.cameras import Camera as Heartbeat
from services.common.kafka.envelopes import envelopes
from services.common.topics import Topic
from services.insights.agents import RecordsHandler
from services.insights.settings import InsightsSettings
from tests.support.camera_feed import CAMERA, at

PARTITION = 3


class CrashError(Exception):
    pass


class Table:
    """A state table that takes `room` more values, and crashes at the next; with no bound as None."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.room: int | None = None
        self.read_to_its_end = True
        self.continuity: Any = SimpleNamespace(at_end=lambda _: self.read_to_its_end)

    def read(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    async def write(self, _: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        for key, value in values:
            if self.room == 0:
                raise CrashError
            self.room = self.room and self.room - 1
            self.values[key] = value


class Producer:
    def __init__(self) -> None:
        self.told: dict[Topic, list[Any]] = {topic: [] for topic in Topic}

    async def publish(self, topic: Topic, items: Sequence[Any], _: str) -> None:
        self.told[topic] += items


class InsightsFeed:
    """The handler over a table and a producer that outlive it, as they do in a process that is started again."""

    def __init__(self, rules: Sequence[AlertRule] = (), gap: float = 60.0) -> None:
        self.table: Any = Table()
        self.producer: Any = Producer()
        self._settings = InsightsSettings(session_gap_seconds=gap)
        known = asyncio.Event()
        known.set()
        self._rulebook: Any = SimpleNamespace(known=known, for_camera=lambda _: list(rules))
        self._offsets = dict.fromkeys(Topic, 0)
        self.start()

    def start(self) -> None:
        self.handler = RecordsHandler(self._settings, self.table, self.producer, self._rulebook)

    def record(self, topic: Topic, items: Sequence[Any], now: float = 1e6) -> Any:
        """An event with one record, which lies behind those made before."""
        ((key, value),) = envelopes(topic, items, "test")
        offset, self._offsets[topic] = self._offsets[topic], self._offsets[topic] + 1
        message = SimpleNamespace(
            topic=topic, partition=PARTITION, offset=offset, key=key, value=value, timestamp=at(now).timestamp()
        )
        return SimpleNamespace(message=message, headers=[])

    def heartbeat(self, now: float, seen: float | None = None, source: str = "test") -> Any:
        """`seen` is when the source last saw somebody there."""
        last_seen_at = at(seen) if seen is not None else None
        heartbeat = Heartbeat(camera_id=CAMERA, source=source, heartbeat_at=at(now), last_seen_at=last_seen_at)
        return self.record(Topic.CAMERAS, [heartbeat], now)

    async def handle(self, *events: Any) -> None:
        """The clock shows the time of the last record."""
        with self._clock_at(events[-1].message.timestamp - at(0).timestamp()):
            await self.handler.handle(PARTITION, events)

    async def tick(self, now: float) -> None:
        with self._clock_at(now):
            await self.handler.let_time_pass(PARTITION)

    def told(self, topic: Topic) -> list[Any]:
        """What has come out since this was asked last."""
        told: list[Any] = self.producer.told[topic]
        self.producer.told[topic] = []
        return told

    @staticmethod
    def _clock_at(now: float) -> Any:
        return patch.object(clock, "now", lambda: at(0) + timedelta(seconds=now))
