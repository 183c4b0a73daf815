"""What comes in: sessions, insight events and heartbeats; out go occupancy, merged insights and alerts."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import faust

from services.common import clock
from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import decode
from services.common.kafka.headers import continue_trace
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import camera_of, refuse_record
from services.common.kafka.state import StateTable
from services.common.kafka.workers import PartitionWorkers
from services.common.metrics import CONSUMED, HANDLE_SECONDS
from services.common.topics import Topic
from services.insights.domain.admission import refusal
from services.insights.domain.camera import Camera, Outputs
from services.insights.rulebook import RuleBook
from services.insights.settings import InsightsSettings

SOURCE = "insights"
INPUTS = (Topic.SESSIONS, Topic.INSIGHTS, Topic.CAMERAS)


def attach_agents(app: faust.App, settings: InsightsSettings, rulebook: RuleBook) -> None:
    """One agent reads all inputs. They have the same keys and the same number of partitions, so Faust gives a process
    the same partitions of each, and all that concerns a camera meets in one worker."""
    table = StateTable(app, "cameras")
    topic = app.topic(*INPUTS, key_type=bytes, value_type=bytes)

    @app.agent(topic, concurrency=1)
    async def records(stream: Any) -> None:
        async with EventProducer(settings.kafka_bootstrap, app.conf.id) as producer:
            handler = RecordsHandler(settings, table, producer, rulebook)
            async with PartitionWorkers(handler.handle, table.continuity) as workers:
                async for event in stream.noack().events():
                    await workers.add(event)


@dataclass(slots=True)
class _Batch:
    """What handling some records of one partition comes to."""

    cameras: dict[str, Camera] = field(default_factory=dict)
    outputs: list[Outputs] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)

    def values(self, of: Callable[[Camera], Iterator[tuple[str, bytes]]]) -> Iterator[tuple[bytes, bytes]]:
        for camera_id, camera in self.cameras.items():
            for key, value in of(camera):
                yield _key(camera_id, key), value


class RecordsHandler:
    """Handles the waiting records of one partition: claim, outputs, state, and then the caller acknowledges.

    A crash in between repeats the records. With the old state they give the same outputs again; with the new state
    they change nothing, and nothing is due, because their outputs were delivered before.
    """

    def __init__(
        self, settings: InsightsSettings, table: StateTable, producer: EventProducer, rulebook: RuleBook
    ) -> None:
        self._settings = settings
        self._table = table
        self._producer = producer
        self._rulebook = rulebook
        self._max_duration = timedelta(hours=settings.implausible_dwell_hours)

    async def handle(self, partition: int, events: Sequence[Any]) -> None:
        await self._rulebook.known.wait()
        batch = _Batch()
        for event in events:
            with HANDLE_SECONDS.labels(event.message.topic).time():
                self._step(batch, event)
        continue_trace(events[-1].headers)
        await self._table.write(partition, batch.values(Camera.claim))
        await self._deliver(batch)
        await self._table.write(partition, batch.values(Camera.writes))

    def _step(self, batch: _Batch, event: Any) -> None:
        message = event.message
        topic = Topic(message.topic)
        if topic is Topic.CAMERAS and message.value is None:
            return
        items, refused = self._admit(topic, message)
        batch.refused += refused
        if not items:
            return
        camera_id: str = items[0].camera_id
        if camera_id not in batch.cameras:
            batch.cameras[camera_id] = self._camera(camera_id)
        camera = batch.cameras[camera_id]
        rules = self._rulebook.for_camera(camera_id)
        revision = message.offset + 1
        # The record's time and not the clock's: after a pause of this service a stay must not look over because the
        # records that prolong it are still to be read.
        now = datetime.fromtimestamp(message.timestamp, UTC)
        if topic is Topic.SESSIONS:
            outputs = camera.on_sessions(items, revision=revision, rules=rules, now=now, processed_at=clock.now())
        elif topic is Topic.INSIGHTS:
            outputs = camera.on_insights(items, revision=revision)
        else:
            outputs = camera.on_heartbeat(rules=rules, now=now)
        batch.outputs.append(outputs)
        CONSUMED.labels(topic).inc(len(items))

    async def _deliver(self, batch: _Batch) -> None:
        told: list[tuple[Topic, list[Any]]] = [
            (Topic.QUARANTINE, batch.refused),
            (Topic.OCCUPANCY, [minute for outputs in batch.outputs for minute in outputs.minutes]),
            (Topic.INSIGHTS_MERGED, [insight for outputs in batch.outputs for insight in outputs.insights]),
            (Topic.ALERTS, [alert for outputs in batch.outputs for alert in outputs.alerts]),
        ]
        await asyncio.gather(*(self._producer.publish(topic, items, SOURCE) for topic, items in told if items))

    def _camera(self, camera_id: str) -> Camera:
        return Camera(
            camera_id,
            lambda key: self._table.read(_key(camera_id, key)),
            window_seconds=self._settings.insight_window_seconds,
            gap=timedelta(seconds=self._settings.gap_seconds(camera_id)),
        )

    def _admit(self, topic: Topic, message: Any) -> tuple[list[Any], list[Quarantined]]:
        key = message.key.decode(errors="replace") if message.key is not None else None
        decoded = decode(topic, message.value)
        if topic is Topic.INSIGHTS:
            decoded = decoded.admit(lambda insight: refusal(insight, key, self._max_duration))
        camera_id = camera_of(topic, message.key)
        return decoded.items, [
            refuse_record(topic, message.partition, message.offset, item, camera_id) for item in decoded.bad
        ]


def _key(camera_id: str, key: str) -> bytes:
    return f"{key}:{camera_id}".encode()
