"""Publishing to Kafka: done means that Kafka has it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import monotonic
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.common.health import Health
from services.common.kafka.envelopes import envelopes
from services.common.kafka.headers import event_headers
from services.common.metrics import PUBLISHED
from services.common.topics import Topic

MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Bounds one record: 500 items of some 3 KB. The broker's message.max.bytes is larger."""

TURN_SECONDS = 0.005
"""Of encoding at a stretch: a chunk of a large file takes 100 ms, in which nobody else would be answered."""

Record = tuple[bytes, bytes | None, list[tuple[str, bytes]] | None]
"""Key, value, headers."""


class PublishError(Exception):
    """Kafka did not acknowledge; nothing may be acknowledged to whoever sent the data."""


class EventProducer:
    """An idempotent producer (acks=all) of enveloped events.

    ``publish`` returns when every record is acknowledged, and raises `PublishError` when one is not in `timeout_ms`. It
    may be delivered even so.
    """

    def __init__(self, bootstrap: str, client_id: str, *, linger_ms: int = 0, timeout_ms: int = 30_000) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            linger_ms=linger_ms,
            max_batch_size=256 * 1024,
            max_request_size=MAX_REQUEST_BYTES,
            request_timeout_ms=timeout_ms,
        )
        self._timeout_seconds = timeout_ms / 1_000

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def publish(self, topic: Topic, items: Iterable[Any], source: str) -> dict[int, int]:
        """Publish the items, grouped by key in envelopes of at most 500; order is kept within a key.

        Returns per partition the offset behind the last of its records.
        """
        counted = list(items)
        behind = await self._deliver(
            topic, ((key, value, event_headers(topic, source)) for key, value in envelopes(topic, counted, source))
        )
        PUBLISHED.labels(topic).inc(len(counted))
        return behind

    async def write(self, topic: str, partition: int, values: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write bare keys and values to one partition, in order; None deletes a key."""
        await self._deliver(topic, ((key, value, None) for key, value in values), partition)

    async def _deliver(self, topic: str, records: Iterable[Record], partition: int | None = None) -> dict[int, int]:
        try:
            # An idempotent producer of aiokafka tries again for ever, whatever its own limit is.
            async with asyncio.timeout(self._timeout_seconds):
                pending = [
                    await self._producer.send(topic, key=key, value=value, headers=headers, partition=partition)
                    async for key, value, headers in _in_turns(records)
                ]
                delivered = await asyncio.gather(*pending)
        except (KafkaError, TimeoutError) as error:
            raise PublishError(f"Kafka did not acknowledge {topic}: {error or 'no answer in time'}") from error
        behind: dict[int, int] = {}
        for record in delivered:
            behind[record.partition] = max(behind.get(record.partition, 0), record.offset + 1)
        return behind

    async def check(self) -> Health:
        """Ready while the brokers answer a metadata request."""
        await self._producer.client.fetch_all_metadata()
        return Health(ok=True, detail={"brokers": len(self._producer.client.cluster.brokers())})


async def _in_turns(records: Iterable[Record]) -> AsyncIterator[Record]:
    """The records as they are made, with a turn for everybody else on the loop in between."""
    begun = monotonic()
    for record in records:
        yield record
        if monotonic() - begun > TURN_SECONDS:
            await asyncio.sleep(0)
            begun = monotonic()
