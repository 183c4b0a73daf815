"""Looks at a Faust process from a thread of its own, so that it sees a blocked event loop and a recovery without end.

Faust starts an app's tasks only when recovery is done. Here health is served and progress is watched from the start.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import faust
from aiokafka import TopicPartition

from services.common.health import Check, Health, health_app
from services.common.kafka.ending import end_process
from services.common.kafka.lag import LagProbe
from services.common.kafka.watchdog import Standstill
from services.common.logging import get_logger
from services.common.patience import not_connected
from services.common.runner import serve
from services.common.settings import CommonSettings
from services.common.topics import SPECS, Topic

log = get_logger(__name__)

LOOK_SECONDS = 5.0


class Witness:
    """Ends the process when records wait and none is committed for `watchdog_seconds`; serves /healthz and /readyz."""

    def __init__(
        self, app: faust.App, settings: CommonSettings, topics: tuple[Topic, ...], checks: Mapping[str, Check]
    ) -> None:
        self._app = app
        self._settings = settings
        self._topics = topics
        self._checks = checks
        self._assigned: list[TopicPartition] = []
        self._probe: LagProbe | None = None
        assigned: Any = app.on_partitions_assigned
        assigned.connect(self._on_assigned)
        revoked: Any = app.on_partitions_revoked
        revoked.connect(self._on_revoked)

    def start(self, port: int) -> None:
        threading.Thread(target=self._run, args=(port,), name="witness", daemon=True).start()

    def _run(self, port: int) -> None:
        try:
            asyncio.run(self._observe(port))
        except BaseException:
            end_process("the process could not be watched")

    async def _observe(self, port: int) -> None:
        health = health_app({"kafka": self._lag, **self._checks})
        await asyncio.gather(serve(health, self._settings.host, port), self._watch())

    async def _lag(self) -> Health:
        return await (self._probe.check() if self._probe else not_connected())

    async def _watch(self) -> None:
        settings = self._settings
        standstill = Standstill(settings.watchdog_seconds)
        while True:
            try:
                async with LagProbe(
                    settings.kafka_bootstrap, self._app.conf.id, self._topics, settings.lag_limit
                ) as self._probe:
                    while True:
                        places = await self._probe.places()
                        still = standstill.judge(places, self._assigned, self._recovered(), time.monotonic())
                        if still:
                            end_process("records wait and none is committed", partitions=sorted(map(str, still)))
                        await asyncio.sleep(LOOK_SECONDS)
            except Exception as error:
                # A broker that is away is no standstill of this process, and a new one could do no better.
                log.info("cannot watch the offsets", reason=f"{type(error).__name__}: {error}")
                standstill.forget()
                await asyncio.sleep(LOOK_SECONDS)

    def _recovered(self) -> int:
        """Grows while state is being recovered."""
        tables: Any = self._app.tables
        return sum(offset or 0 for offset in list(tables.recovery.active_offsets.values())) if self._assigned else 0

    async def _on_assigned(self, _: Any, partitions: Any, **__: Any) -> None:
        self._assigned = [TopicPartition(tp.topic, tp.partition) for tp in partitions if tp.topic in SPECS]

    async def _on_revoked(self, _: Any, partitions: Any, **__: Any) -> None:
        self._assigned = []
