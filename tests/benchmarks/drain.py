"""How fast processes read what lies in a topic."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import Popen
from time import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import ConsumerRecord

from services.common.topics import PARTITIONS
from tests.benchmarks.bench import cpu_seconds
from tests.benchmarks.load import Records, fill, items_of
from tests.support.waiting import wait_until

DRAIN_SECONDS = 300.0
FIRST_RECORDS = 20

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Drained:
    """`seconds` to the last output; CPU seconds, to the last commit, of each process and of what runs beside them."""

    events: int
    seconds: float
    cpu_seconds: list[float]
    cpu_seconds_beside: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_seconds_per_million(self) -> float:
        """Of all processes together."""
        return sum(self.cpu_seconds) / self.events * 1e6

    @property
    def cpu_seconds_per_million_beside(self) -> float:
        return self.cpu_seconds_beside / self.events * 1e6


async def drain(
    bootstrap: str,
    processes: Sequence[Popen[bytes]],
    *,
    group: str,
    source: str,
    output: str,
    load: Records,
    beside: Sequence[int] = (),
) -> Drained:
    """Time the processes from a topic that holds the load to the last record that they write of it.

    They have started and hold their partitions, which the first records show, and are stopped while the topic is
    filled. Without that, start-up would be part of the time, or the first records would not.
    """
    await fill(bootstrap, source, load[:FIRST_RECORDS])
    await wait_until_committed(bootstrap, group, source, processes)
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    await fill(bootstrap, source, load[FIRST_RECORDS:])
    measured = [*(process.pid for process in processes), *beside]
    before = [cpu_seconds(process) for process in measured]
    started = time()
    for process in processes:
        process.send_signal(signal.SIGCONT)
    await wait_until_committed(bootstrap, group, source, processes)
    used = [cpu_seconds(process) - cpu for process, cpu in zip(measured, before, strict=True)]
    last = max(record.timestamp for record in await read_from(bootstrap, output))
    own, others = used[: len(processes)], used[len(processes) :]
    return Drained(items_of(load[FIRST_RECORDS:]), last / 1000 - started, own, sum(others))


async def wait_until_committed(bootstrap: str, group: str, topic: str, processes: Sequence[Popen[bytes]] = ()) -> None:
    """Until the group has committed what the topic holds now."""
    ends = await ends_of(bootstrap, topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def committed() -> bool:
        assert all(process.poll() is None for process in processes), "what is measured has ended"
        try:
            found = await admin.list_consumer_group_offsets(group, partitions=list(ends))
        except GroupCoordinatorNotAvailableError:
            return False  # a new broker makes its place for offsets when it is first asked
        return all(end == 0 or (place in found and found[place].offset >= end) for place, end in ends.items())

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
