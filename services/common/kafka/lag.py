"""How far a consumer group is behind, asked of the broker and not of the consumer itself."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from aiokafka import TopicPartition

from services.common.health import Health
from services.common.kafka.offsets import OffsetReader
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
        self._partitions = [(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._offsets = OffsetReader(bootstrap, f"{group}-lag")

    async def __aenter__(self) -> Self:
        await self._offsets.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._offsets.__aexit__()

    async def places(self) -> dict[TopicPartition, Place]:
        committed = await self._offsets.committed(self._group, self._partitions)
        first = await self._offsets.beginnings(self._partitions)
        last = await self._offsets.ends(self._partitions)
        return {
            TopicPartition(*place): Place(max(committed.get(place, 0), first[place]), last[place])
            for place in self._partitions
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
