"""How far logs and their readers are, asked of the broker."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.common.topics import Topic

Places = dict[tuple[Topic, int], int]
"""(topic, partition) → an offset."""


class OffsetReader:
    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=client_id)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id=client_id)

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def committed(self, group: str, partitions: Collection[tuple[Topic, int]]) -> Places:
        """Where the group goes on reading; without those that it never committed."""
        if not partitions:
            return {}
        wanted = [TopicPartition(topic, number) for topic, number in partitions]
        found = await self._admin.list_consumer_group_offsets(group, partitions=wanted)
        return {
            (Topic(place.topic), place.partition): known.offset for place, known in found.items() if known.offset >= 0
        }

    async def beginnings(self, partitions: Collection[tuple[Topic, int]]) -> Places:
        """Where the oldest record is that there still is, or will be."""
        return await _asked(self._consumer.beginning_offsets, partitions)

    async def ends(self, partitions: Collection[tuple[Topic, int]]) -> Places:
        """Where the next record will be written."""
        return await _asked(self._consumer.end_offsets, partitions)


async def _asked(
    ask: Callable[[list[TopicPartition]], Awaitable[dict[Any, int]]], partitions: Collection[tuple[Topic, int]]
) -> Places:
    if not partitions:
        return {}
    found = await ask([TopicPartition(topic, number) for topic, number in partitions])
    return {(Topic(place.topic), place.partition): offset for place, offset in found.items()}
