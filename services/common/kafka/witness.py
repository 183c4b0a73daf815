"""Looks at a Faust process from a thread of its own, so that it sees a blocked event loop and a recovery without end.

Faust starts an app's tasks only when recovery is done. Here health is served and progress is watched from the start.
"""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import faust
from aiokafka import TopicPartition

from services.common.health import Check, health_app
from services.common.kafka.ending import end_process
from services.common.kafka.watchdog import Watchdog
from services.common.runner import serve
from services.common.settings import CommonSettings
from services.common.topics import SPECS, Topic


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
        watchdog = Watchdog(
            self._settings,
            self._app.conf.id,
            self._topics,
            own=lambda: self._assigned,
            activity=lambda _: self._recovered(),
        )
        health = health_app({"kafka": watchdog.check, **self._checks})
        await asyncio.gather(serve(health, self._settings.host, port), watchdog.run())

    def _recovered(self) -> int:
        """Grows while state is being recovered."""
        tables: Any = self._app.tables
        return sum(offset or 0 for offset in list(tables.recovery.active_offsets.values())) if self._assigned else 0

    async def _on_assigned(self, _: Any, partitions: Any, **__: Any) -> None:
        self._assigned = [TopicPartition(tp.topic, tp.partition) for tp in partitions if tp.topic in SPECS]

    async def _on_revoked(self, _: Any, partitions: Any, **__: Any) -> None:
        self._assigned = []
