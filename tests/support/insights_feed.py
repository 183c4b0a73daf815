"""Feeds the handler of the insights service with records of one partition, without Kafka."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from services.common import clock
from services.common.events.alerts import AlertRule
from services.common.events.cameras import Camera as Heartbeat
from services.common.topics import Topic
from services.insights.agents import RecordsHandler
from services.insights.settings import InsightsSettings
from tests.support.camera_feed import CAMERA, at
from tests.support.handlers import PARTITION, Producer, Records, Table


class InsightsFeed:
    """The handler over a table and a producer that outlive it, as they do in a process that is started again."""

    def __init__(self, rules: Sequence[AlertRule] = (), gap: float = 60.0) -> None:
        self.table: Any = Table()
        self.producer: Any = Producer()
        self._settings = InsightsSettings(session_gap_seconds=gap)
        known = asyncio.Event()
        known.set()
        self._rulebook: Any = SimpleNamespace(known=known, for_camera=lambda _: list(rules))
        self._records = Records()
        self.start()

    def start(self) -> None:
        self.handler = RecordsHandler(self._settings, self.table, self.producer, self._rulebook)

    def record(self, topic: Topic, items: Sequence[Any], now: float = 1e6) -> Any:
        """An event with one record, which lies behind those made before."""
        return self._records.next(topic, items, at(now).timestamp())

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
        told: list[Any] = self.producer.told(topic)
        return told

    @staticmethod
    def _clock_at(now: float) -> Any:
        return patch.object(clock, "now", lambda: at(0) + timedelta(seconds=now))
