"""What comes in: appearances, one record at a time per partition; out go session revisions."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import faust
import msgspec

from services.common.events.admission import refusal
from services.common.events.appearances import Appearance
from services.common.events.quarantine import Quarantined
from services.common.events.sessions import Session, revision_after
from services.common.kafka.envelopes import decode_bare
from services.common.kafka.headers import continue_trace
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import camera_of, refuse_record
from services.common.kafka.state import StateTable
from services.common.kafka.workers import PartitionWorkers
from services.common.kept import read_kept
from services.common.metrics import CONSUMED, HANDLE_SECONDS
from services.common.topics import Topic
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from services.processor.settings import ProcessorSettings

SOURCE = "processor"

_HORIZON = msgspec.msgpack.Decoder(datetime)

REPORTED_AHEAD = timedelta(minutes=10)
"""What is reported lies in the past, but for clocks that differ; sources refuse more than 5 minutes ahead."""


def attach_agents(app: faust.App, settings: ProcessorSettings) -> None:
    table = StateTable(app, "appearances", version=3)
    topic = app.topic(Topic.APPEARANCES, key_type=bytes, value_type=bytes)

    @app.agent(topic, concurrency=1)
    async def appearances(stream: Any) -> None:
        async with EventProducer(settings.kafka_bootstrap, app.conf.id, linger_ms=10) as producer:
            table.producer = producer
            handler = AppearancesHandler(settings, table, producer)
            async with PartitionWorkers(handler.handle, table) as workers:
                async for event in stream.noack().events():
                    await workers.add(event)


class AppearancesHandler:
    """Handles the waiting records of one partition: outputs first, then state, and then the caller acknowledges.

    A crash in between repeats the records. With the old state they give the same outputs again; with the new state
    they change nothing, and nothing is due, because their outputs were delivered before.
    """

    def __init__(self, settings: ProcessorSettings, table: StateTable, producer: EventProducer) -> None:
        self._settings = settings
        self._table = table
        self._producer = producer
        self._max_dwell = timedelta(hours=settings.implausible_dwell_hours)

    async def handle(self, partition: int, events: Sequence[Any]) -> None:
        """Each record is a step, and of each session the last one's word is told: so a crash may cut the records into
        other batches, and a session that was told of is never left behind."""
        refused: list[Quarantined] = []
        states: dict[str, CameraState] = {}
        sessions: dict[str, Session] = {}
        horizon, writes = self._horizon(partition, events[0].message)
        with HANDLE_SECONDS.labels(Topic.APPEARANCES).time():
            for event in events:
                reports, bad = self._admit(event)
                refused += bad
                if reports:
                    camera_id = reports[0].camera_id
                    if camera_id not in states:
                        states[camera_id] = CameraState(partial(self._read, camera_id), horizon)
                    changed = step(
                        states[camera_id],
                        reports,
                        camera_id=camera_id,
                        gap=timedelta(seconds=self._settings.gap_seconds(camera_id)),
                        revision=revision_after(event.message.offset),
                    )
                    sessions.update((session.session_id, session) for session in changed)
                CONSUMED.labels(Topic.APPEARANCES).inc(len(reports))
        continue_trace(events[-1].headers)
        if refused:
            await self._producer.publish(Topic.QUARANTINE, refused, SOURCE)
        if sessions:
            await self._producer.publish(Topic.SESSIONS, sessions.values(), SOURCE)
        await self._table.write(partition, [*writes, *_values(states)])

    def _horizon(self, partition: int, first: Any) -> tuple[datetime | None, list[tuple[bytes, bytes]]]:
        """The instant before which the partition's state may lack anything, and what is to be written for it."""
        key = f"horizon:{partition}".encode()
        if partition in self._table.began_late:
            self._table.began_late.remove(partition)
            horizon = datetime.fromtimestamp(first.timestamp, UTC) + REPORTED_AHEAD
            return horizon, [(key, msgspec.msgpack.encode(horizon))]
        kept = self._table.read(key)
        return read_kept(_HORIZON, kept) if kept is not None else None, []

    def _read(self, camera_id: str, name: str) -> bytes | None:
        return self._table.read(_key(camera_id, name))

    def _admit(self, event: Any) -> tuple[list[Appearance], list[Quarantined]]:
        message = event.message
        decoded = decode_bare(message.value).admit(lambda report: refusal(report, message.key, self._max_dwell))
        camera_id = camera_of(Topic.APPEARANCES, message.key)
        return decoded.items, [
            refuse_record(Topic.APPEARANCES, message.partition, message.offset, item, camera_id) for item in decoded.bad
        ]


def _values(cameras: dict[str, CameraState]) -> Iterator[tuple[bytes, bytes]]:
    for camera_id, state in cameras.items():
        for name, value in state.writes():
            yield _key(camera_id, name), value


def _key(camera_id: str, name: str) -> bytes:
    return f"{name}:{camera_id}".encode()
