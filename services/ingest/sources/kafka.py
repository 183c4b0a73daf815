"""A customer's own topic of the vendor's events, mirrored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from services.common import clock
from services.common.kafka.groups import MIRROR
from services.common.kafka.producer import PublishError
from services.common.logging import get_logger
from services.common.topics import Topic
from services.ingest.cameras import CameraBook
from services.ingest.inlet import Inlet
from services.ingest.intake import UnreadableError, read_elements
from services.ingest.publisher import Publisher
from services.ingest.sources.base import SourceError
from services.ingest.sources.kafka_security import client_arguments, mistake_of, warnings_of
from services.ingest.sources.kafka_settings import KafkaSourceSettings
from services.ingest.status import SourceStatus

log = get_logger(__name__)

BATCH_RECORDS = 500

POLL_MS = 1_000

FETCH_BYTES = 8 * 1024 * 1024
"""Of one answer of a broker; the vendor's events carry pictures of tens of kilobytes."""

BEHIND_RECORDS = 1_000
"""So many are waiting where the mirror says that it is catching up."""

FIRST_PAUSE_SECONDS = 1.0

_TROUBLE = (OSError, KafkaError, PublishError, SourceError)


class KafkaSource:
    """Its place in the topic is moved on only behind what our own Kafka has acknowledged.

    After any trouble the topic is read on from there, so that nothing is lost and some of it may come twice.
    """

    name = "corsight:kafka"
    router = None

    def __init__(self, settings: KafkaSourceSettings, publisher: Publisher, cameras: CameraBook) -> None:
        self.status = SourceStatus(self.name)
        self._inlet = Inlet(settings, publisher, cameras, self.status)
        self._settings = settings
        self._bootstrap = settings.corsight_kafka_bootstrap or settings.kafka_bootstrap
        self._topic = settings.corsight_kafka_topic
        self._longest_pause = settings.corsight_kafka_retry_seconds
        self._pause = FIRST_PAUSE_SECONDS
        for warning in warnings_of(settings):
            self.status.warn(warning)

    async def run(self) -> None:
        self.status.starting()
        if mistake := self._mistake():
            self.status.failed(mistake)
            await asyncio.Event().wait()
        while True:
            try:
                await self._mirror()
            except _TROUBLE as error:
                reason = _plain(error)
                log.error("cannot mirror", topic=self._topic, reason=reason, pause_seconds=self._pause)
                self.status.retrying(reason, clock.now() + timedelta(seconds=self._pause))
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, self._longest_pause)

    async def test(self) -> str:
        if mistake := self._mistake():
            raise SourceError(mistake)
        try:
            async with self._consumer() as kafka:
                partitions = len(await self._partitions(kafka))
        except (OSError, KafkaError) as error:
            raise SourceError(_plain(error)) from error
        return f"The topic {self._topic} is there, with {partitions} partitions."

    def _mistake(self) -> str | None:
        if not self._topic:
            return "DWELL_CORSIGHT_KAFKA_TOPIC is empty: it names the topic to mirror"
        if self._topic in set(Topic):
            return f"DWELL_CORSIGHT_KAFKA_TOPIC: {self._topic} is a topic of our own"
        return mistake_of(self._settings)

    async def _mirror(self) -> None:
        async with self._consumer(MIRROR) as kafka:
            await self._partitions(kafka)
            kafka.subscribe([self._topic])
            while True:
                polled = await kafka.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
                if polled:
                    await self._deliver([record for records in polled.values() for record in records])
                    await kafka.commit()
                self._pause = FIRST_PAUSE_SECONDS
                behind = sum([(kafka.highwater(each) or 0) - await kafka.position(each) for each in polled])
                if behind > BEHIND_RECORDS:
                    self.status.catching_up(f"{behind:,} records of {self._topic} are waiting")
                else:
                    self.status.live()

    async def _deliver(self, records: list[ConsumerRecord]) -> None:
        elements: list[msgspec.Raw] = []
        for record in records:
            if record.value is None:
                continue  # a tombstone tells of nobody
            try:
                elements += read_elements(record.value, self.name)
            except UnreadableError as error:
                await self._inlet.refuse(error.refusal)
        await self._inlet.deliver(elements, now=clock.now())

    async def _partitions(self, kafka: AIOKafkaConsumer) -> set[int]:
        if self._topic not in await kafka.topics():
            raise SourceError(f"there is no topic {self._topic} at {self._bootstrap}")
        return set(kafka.partitions_for_topic(self._topic) or ())

    @asynccontextmanager
    async def _consumer(self, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        kafka = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="dwell-ingest",
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES,
            **await asyncio.to_thread(client_arguments, self._settings),
        )
        try:
            await kafka.start()
            yield kafka
        finally:
            await kafka.stop()


def _plain(error: Exception) -> str:
    match error:
        case PublishError() | SourceError():
            return str(error)
        case _:
            return f"Kafka: {error or type(error).__name__}"
