"""How far a consumer group is behind, asked of the broker and not of the consumer itself."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.common.health import Health
from services.common.metrics import LAG
from services.common.topics import PARTITIONS, Topic


class Place(NamedTuple):
    """Where a group goes on in a partition, and where its log ends."""

    next_offset: int
    end: int


class LagProbe:
    """Compares a group's committed offsets with the log ends; an independent witness of a wedged consumer."""

    def __init__(self, bootstrap: str, group: str, topics: Iterable[Topic], limit: int) -> None:
        self._group = group
        self._limit = limit
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=f"{group}-lag")
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id=f"{group}-lag")

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def places(self) -> dict[TopicPartition, Place]:
        committed = await self._admin.list_consumer_group_offsets(self._group, partitions=self._partitions)
        first = await self._consumer.beginning_offsets(self._partitions)
        last = await self._consumer.end_offsets(self._partitions)
        return {
            partition: Place(
                max(found.offset if (found := committed.get(partition)) else 0, first[partition]), last[partition]
            )
            for partition in self._partitions
        }

    async def measure(self) -> dict[str, int]:
        """Topic → records that the group has not committed yet."""
        lag: dict[str, int] = {}
        for partition, place in (await self.places()).items():
            lag[partition.topic] = lag.get(partition.topic, 0) + max(0, place.end - place.next_offset)
        for topic, records in lag.items():
            LAG.labels(topic).set(records)
        return lag

    async def check(self) -> Health:
        lag = await self.measure()
        return Health(ok=sum(lag.values()) <= self._limit, detail={"lag_records": lag})
