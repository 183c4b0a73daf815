"""Facts, refusals and cameras to Kafka; what is published is acknowledged by all replicas."""

import asyncio
from collections.abc import Iterable
from typing import Any

from services.common.events.cameras import Camera
from services.common.health import Health
from services.common.kafka.producer import EventProducer, PublishError
from services.common.topics import Topic
from services.ingest.faces import FaceStore
from services.ingest.intake import Taken


class Publisher:
    """Refuses with `PublishError` while Kafka is away or slow: whoever sent the data keeps it and sends it again.

    Some of a refused delivery may have reached Kafka all the same. Sent again, it changes nothing.
    """

    def __init__(self, timeout_seconds: float, faces: FaceStore | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._faces = faces
        self._producer: EventProducer | None = None

    @property
    def keeps_crops(self) -> bool:
        return self._faces is not None

    def connect(self, producer: EventProducer) -> None:
        self._producer = producer

    async def publish_taken(self, taken: Taken, source: str) -> None:
        await self._keep_crops(taken)
        lanes: tuple[tuple[Topic, list[Any]], ...] = (
            (Topic.APPEARANCES, taken.appearances),
            (Topic.APPEARANCES_FORENSIC, taken.forensic),
            (Topic.INSIGHTS, taken.insights),
            (Topic.QUARANTINE, taken.refused),
        )
        match [(topic, items) for topic, items in lanes if items]:
            case [(topic, items)]:
                await self._publish(topic, items, source)
            case several:
                await asyncio.gather(*(self._publish(topic, items, source) for topic, items in several))

    async def publish_cameras(self, cameras: Iterable[Camera], source: str) -> None:
        await self._publish(Topic.CAMERAS, cameras, source)

    async def check(self) -> Health:
        if self._producer is None:
            return Health(ok=False, detail={"error": "not connected yet"})
        return await self._producer.check()

    async def _keep_crops(self, taken: Taken) -> None:
        """Before Kafka: what an appearance refers to must be there."""
        if self._faces is None or not taken.crops:
            return
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._faces.keep(taken.crops)
        except TimeoutError as error:
            raise PublishError(f"cannot keep face crops: no answer in {self._timeout_seconds:g} s") from error

    async def _publish(self, topic: Topic, items: Iterable[object], source: str) -> None:
        if self._producer is None:
            raise PublishError("not connected to Kafka yet")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._producer.publish(topic, items, source)
        except TimeoutError as error:
            raise PublishError(f"Kafka did not acknowledge {topic} in {self._timeout_seconds:g} s") from error
