"""What comes in: sessions, insight events and heartbeats; out go occupancy, merged insights and alerts."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import faust
import msgspec
from faust.types import TP

from services.common import clock
from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import decode
from services.common.kafka.headers import continue_trace
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import camera_of, refuse_record
from services.common.kafka.state import StateTable
from services.common.kafka.workers import PartitionWorkers
from services.common.kept import read_kept
from services.common.metrics import CONSUMED, HANDLE_SECONDS
from services.common.topics import PARTITIONS, Topic
from services.insights.domain.admission import refusal
from services.insights.domain.camera import Camera, Outputs
from services.insights.rulebook import RuleBook
from services.insights.settings import InsightsSettings

SOURCE = "insights"
INPUTS = (Topic.SESSIONS, Topic.INSIGHTS, Topic.CAMERAS)

TICK_SECONDS = 5.0

_WATCHED = msgspec.msgpack.Decoder(set[str])


def attach_agents(app: faust.App, settings: InsightsSettings, rulebook: RuleBook) -> None:
    """One agent reads all inputs. They have the same keys and the same number of partitions, so Faust gives a process
    the same partitions of each, and all that concerns a camera meets in one worker."""
    table = StateTable(app, "cameras", version=3)
    topic = app.topic(*INPUTS, key_type=bytes, value_type=bytes)

    @app.agent(topic, concurrency=1)
    async def records(stream: Any) -> None:
        async with EventProducer(settings.kafka_bootstrap, app.conf.id, linger_ms=10) as producer:
            table.producer = producer
            handler = RecordsHandler(settings, table, producer, rulebook)
            async with PartitionWorkers(handler.handle, table) as workers:
                ticking = asyncio.create_task(_tick(workers, handler))
                try:
                    async for event in stream.noack().events():
                        await workers.add(event)
                finally:
                    ticking.cancel()


async def _tick(workers: PartitionWorkers, handler: "RecordsHandler") -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        for partition in range(PARTITIONS):
            await workers.between(partition, handler.let_time_pass)


@dataclass(slots=True)
class _Batch:
    """What handling some records of one partition comes to."""

    cameras: dict[str, Camera] = field(default_factory=dict)
    refused: list[Quarantined] = field(default_factory=list)

    def values(self, of: Callable[[Camera], Iterator[tuple[str, bytes]]]) -> Iterator[tuple[bytes, bytes]]:
        for camera_id, camera in self.cameras.items():
            for key, value in of(camera):
                yield _key(camera_id, key), value

    @property
    def ageing(self) -> set[str]:
        return {camera_id for camera_id, camera in self.cameras.items() if camera.ages}


class RecordsHandler:
    """Handles the waiting records of one partition: claim, outputs, state, and then the caller acknowledges.

    The insights and alerts that many of them change are told once.

    A crash in between repeats the records, perhaps cut into other batches. With the old state they come to the same
    again; with the new state they change nothing, and nothing is due, because their outputs were delivered before.
    """

    def __init__(
        self, settings: InsightsSettings, table: StateTable, producer: EventProducer, rulebook: RuleBook
    ) -> None:
        self._settings = settings
        self._table = table
        self._producer = producer
        self._rulebook = rulebook
        self._written: dict[str, bytes] = {}
        self._max_duration = timedelta(hours=settings.implausible_dwell_hours)

    async def handle(self, partition: int, events: Sequence[Any]) -> None:
        await self._rulebook.known.wait()
        batch = _Batch()
        for event in events:
            with HANDLE_SECONDS.labels(event.message.topic).time():
                self._take(batch, event)
        continue_trace(events[-1].headers)
        # Before the alerts themselves: a crash may leave a camera too many here, and never one too few.
        known = self._watched(partition)
        if not batch.ageing <= known:
            await self._watch(partition, known | batch.ageing)
        await self._settle(partition, batch)

    async def let_time_pass(self, partition: int) -> None:
        """Resolve the alerts whose time is over though nothing comes any more, and see who fell silent. While session
        records wait to be read, no time passes: a stay must not look over because the records that prolong it are among
        them. So for silence with what waits in the topic of cameras."""
        known = self._watched(partition)
        if not known or not self._is_read(Topic.SESSIONS, partition):
            return
        await self._rulebook.known.wait()
        batch = _Batch()
        now = clock.now()
        is_told_all = self._is_read(Topic.CAMERAS, partition)
        for camera_id in sorted(known):
            camera, rules = self._camera_in(batch, camera_id), self._rulebook.for_camera(camera_id)
            camera.on_time(rules=rules, now=now)
            if is_told_all:
                camera.on_silence(rules=rules, now=now, processed_at=now)
        await self._settle(partition, batch)
        if batch.ageing != known:
            await self._watch(partition, batch.ageing)

    def _take(self, batch: _Batch, event: Any) -> None:
        message = event.message
        topic = Topic(message.topic)
        if topic is Topic.CAMERAS and message.value is None:
            return
        items, refused = self._admit(topic, message)
        batch.refused += refused
        if not items:
            return
        camera_id: str = items[0].camera_id
        camera = self._camera_in(batch, camera_id)
        rules = self._rulebook.for_camera(camera_id)
        # The record's time and not the clock's: after a pause of this service a stay must not look over because the
        # records that prolong it are still to be read.
        now = datetime.fromtimestamp(message.timestamp, UTC)
        if topic is Topic.SESSIONS:
            camera.on_sessions(items, revision=message.offset + 1, rules=rules, now=now, processed_at=clock.now())
        elif topic is Topic.INSIGHTS:
            camera.on_insights(items, revision=message.offset + 1)
        else:
            if self._is_read(Topic.SESSIONS, message.partition):
                camera.on_time(rules=rules, now=now)
            camera.on_heartbeats(items, rules=rules, now=now, processed_at=clock.now())
        CONSUMED.labels(topic).inc(len(items))

    async def _settle(self, partition: int, batch: _Batch) -> None:
        now = clock.now()
        outputs = [camera.outputs(now) for camera in batch.cameras.values()]
        await self._table.write(partition, batch.values(Camera.claim))
        await self._deliver(batch.refused, outputs)
        await self._table.write(partition, batch.values(Camera.writes))

    async def _deliver(self, refused: list[Quarantined], outputs: list[Outputs]) -> None:
        told: list[tuple[Topic, list[Any]]] = [
            (Topic.QUARANTINE, refused),
            (Topic.OCCUPANCY, [minute for of_camera in outputs for minute in of_camera.minutes]),
            (Topic.INSIGHTS_MERGED, [insight for of_camera in outputs for insight in of_camera.insights]),
            (Topic.ALERTS, [alert for of_camera in outputs for alert in of_camera.alerts]),
        ]
        await asyncio.gather(*(self._producer.publish(topic, items, SOURCE) for topic, items in told if items))

    def _camera_in(self, batch: _Batch, camera_id: str) -> Camera:
        if camera_id not in batch.cameras:
            batch.cameras[camera_id] = Camera(
                camera_id,
                lambda key: self._table.read(_key(camera_id, key)),
                window_seconds=self._settings.insight_window_seconds,
                gap=timedelta(seconds=self._settings.gap_seconds(camera_id)),
                written=self._written,
            )
        return batch.cameras[camera_id]

    def _is_read(self, topic: Topic, partition: int) -> bool:
        return self._table.continuity.at_end(TP(topic, partition))

    def _watched(self, partition: int) -> set[str]:
        """The partition's cameras that age, and perhaps others."""
        value = self._table.read(_watch_key(partition))
        return read_kept(_WATCHED, value) if value is not None else set()

    async def _watch(self, partition: int, cameras: set[str]) -> None:
        await self._table.write(partition, [(_watch_key(partition), msgspec.msgpack.encode(sorted(cameras)))])

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


def _watch_key(partition: int) -> bytes:
    return f"watched:{partition}".encode()
