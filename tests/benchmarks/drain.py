"""How fast a process reads a topic to its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from subprocess import Popen

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord

from services.common.topics import PARTITIONS
from tests.benchmarks.bench import cpu_seconds
from tests.support.waiting import wait_until

DRAIN_SECONDS = 300.0

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Drained:
    """`seconds` from the first output to the last, without start-up; `cpu_seconds` of each process meanwhile."""

    events: int
    seconds: float
    cpu_seconds: list[float]

    @property
    def rate(self) -> float:
        return self.events / self.seconds


async def drain(
    bootstrap: str, processes: list[Popen[bytes]], *, group: str, source: str, output: str, events: int
) -> Drained:
    """Wait until the group has committed all of `source`, then read the times at which `output` was written."""

    async def started() -> bool:
        assert all(process.poll() is None for process in processes), "what is measured has ended"
        return any((await ends_of(bootstrap, output)).values())

    await wait_until(started, DRAIN_SECONDS)
    before = [cpu_seconds(process.pid) for process in processes]
    await wait_until_committed(bootstrap, group, source)
    used = [cpu_seconds(process.pid) - cpu for process, cpu in zip(processes, before, strict=True)]
    times = [record.timestamp for record in await read_from(bootstrap, output)]
    return Drained(events, (max(times) - min(times)) / 1000, used)


async def wait_until_committed(bootstrap: str, group: str, topic: str) -> None:
    """Until the group has committed what the topic holds now."""
    ends = await ends_of(bootstrap, topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def committed() -> bool:
        found = await admin.list_consumer_group_offsets(group, partitions=list(ends))
        return all(end == 0 or found[place].offset >= end for place, end in ends.items())

    try:
        await wait_until(committed, DRAIN_SECONDS)
    finally:
        await admin.close()


async def ends_of(bootstrap: str, topic: str) -> Offsets:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        ends: Offsets = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return ends


async def read_from(bootstrap: str, topic: str, start: Offsets | None = None) -> list[ConsumerRecord]:
    """The records that the topic holds now, from the beginning or from these offsets."""
    ends = await ends_of(bootstrap, topic)
    found: list[ConsumerRecord] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=8 << 20
    ) as consumer:
        consumer.assign(list(ends))
        for place in ends:
            consumer.seek(place, start[place] if start else 0)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    return found
