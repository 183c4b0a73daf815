"""What the connector is made of: its sources, the book of cameras and the way to Kafka."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import groupby

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from starlette.applications import Starlette
from starlette.routing import Mount

from services.common import clock
from services.common.events.cameras import Camera
from services.common.health import Health, health_app
from services.common.kafka.envelopes import decode
from services.common.kafka.producer import EventProducer, PublishError
from services.common.logging import get_logger
from services.common.patience import patiently
from services.common.postgres import create_pool
from services.common.runner import serve
from services.common.topics import PARTITIONS, Topic
from services.ingest.cameras import CameraBook
from services.ingest.corsight.system import System
from services.ingest.faces import open_faces
from services.ingest.publisher import Publisher
from services.ingest.runtime import Runtime
from services.ingest.settings import IngestSettings
from services.ingest.sources.base import Source
from services.ingest.sources.history import PolledHistory
from services.ingest.sources.kafka import KafkaSource
from services.ingest.sources.sse import Sse
from services.ingest.sources.webhook import Webhook

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What sources have in common."""

    settings: IngestSettings
    system: System
    publisher: Publisher
    cameras: CameraBook


SOURCES: dict[str, Callable[[Shared], Source]] = {
    "sse": lambda shared: Sse(shared.system, shared.publisher, shared.cameras),
    "history": lambda shared: PolledHistory(shared.system, shared.publisher, shared.cameras),
    "webhook": lambda shared: Webhook(shared.settings, shared.publisher, shared.cameras),
    "kafka": lambda shared: KafkaSource(shared.settings, shared.publisher, shared.cameras),
}


class Ingest:
    """The webhook answers 503 until Kafka is there and the cameras of earlier days are remembered."""

    def __init__(self, settings: IngestSettings) -> None:
        if unknown := set(settings.corsight_sources) - SOURCES.keys():
            known = ", ".join(sorted(SOURCES))
            raise ValueError(
                f"DWELL_CORSIGHT_SOURCES: no source is named {', '.join(sorted(unknown))}; there is {known}"
            )
        self._settings = settings
        self._faces = open_faces(settings)
        self._publisher = Publisher(settings.ingest_publish_seconds, self._faces)
        self._cameras = CameraBook()
        shared = Shared(settings, System(settings), self._publisher, self._cameras)
        # A name given twice is one source.
        names = dict.fromkeys(settings.corsight_sources)
        self._sources = [SOURCES[name](shared) for name in names]
        self._ready = asyncio.Event()
        self._runtime = Runtime(
            self._sources, lambda: create_pool(settings.postgres_dsn, "dwell-ingest", max_size=2), self._ready
        )
        called = [route for source in self._sources if source.router for route in source.router.routes]
        health = health_app({"kafka": self._publisher.check, "sources": self._check_sources})
        # Not within FastAPI, whose layers are a third of what a call costs.
        self.app = Starlette(routes=[*called, Mount("/", health)])

    async def serve(self) -> None:
        await serve(self.app, self._settings.host, self._settings.ingest_port)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runtime.run())
            group.create_task(self._publish())

    async def _publish(self) -> None:
        async with AsyncExitStack() as stack:
            producer = await patiently(
                "Kafka", self._connect, (OSError, KafkaError), self._settings.ingest_retry_seconds
            )
            stack.push_async_exit(producer)
            self._cameras.remember(await _read_cameras(self._settings.kafka_bootstrap))
            self._publisher.connect(producer)
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell_of_cameras())
                if self._faces:
                    group.create_task(self._faces.run())

    async def _connect(self) -> EventProducer:
        producer = EventProducer(self._settings.kafka_bootstrap, "dwell-ingest")
        return await producer.__aenter__()

    async def _tell_of_cameras(self) -> None:
        """Also while a source is silent: that time passes is what resolves alerts and shows who fell silent."""
        while True:
            await asyncio.sleep(self._settings.ingest_heartbeat_seconds)
            for each in self._sources:
                if each.status.heard_at:
                    self._cameras.spoke(each.name, each.status.heard_at)
            cameras = sorted(self._cameras.all(), key=lambda camera: camera.source)
            try:
                for source, of_source in groupby(cameras, key=lambda camera: camera.source):
                    await self._publisher.publish_cameras(list(of_source), source)
            except PublishError as error:
                log.error("cannot tell of the cameras", reason=str(error))

    async def _check_sources(self) -> Health:
        """One that does not get through is told, but is no fault of this service: it is ready once they have begun."""
        now = clock.now()
        return Health(
            ok=self._runtime.has_begun,
            detail={
                source.name: {
                    "state": source.status.state,
                    "silent_seconds": spoke_at and round((now - spoke_at).total_seconds(), 1),
                }
                for source in self._sources
                for spoke_at in [self._cameras.spoke_at(source.name)]
            },
        )


async def _read_cameras(bootstrap: str) -> list[Camera]:
    """What the compacted topic holds."""
    partitions = [TopicPartition(Topic.CAMERAS, number) for number in range(PARTITIONS)]
    kafka = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id="dwell-ingest", enable_auto_commit=False)
    await kafka.start()
    try:
        kafka.assign(partitions)
        await kafka.seek_to_beginning(*partitions)
        ends = await kafka.end_offsets(partitions)
        latest: dict[str, Camera] = {}
        while any([await kafka.position(each) < ends[each] for each in partitions]):
            for records in (await kafka.getmany(timeout_ms=200)).values():
                cameras = (camera for record in records for camera in decode(Topic.CAMERAS, record.value).items)
                latest |= {camera.camera_id: camera for camera in cameras}
        return list(latest.values())
    finally:
        await kafka.stop()
