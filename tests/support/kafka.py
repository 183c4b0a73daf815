"""What tests do with Kafka beyond what the services do."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.protocol.admin import DeleteGroupsRequest

from services.common.kafka.admin import ensure_topics
from services.common.kafka.envelopes import decode
from services.common.topics import PARTITIONS, TOPICS, Topic
from tests.support.waiting import wait_until


class Record(msgspec.Struct, frozen=True):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@asynccontextmanager
async def admin_of(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_topics_empty(bootstrap: str) -> None:
    """Delete every topic, tables' changelogs and committed offsets with them, and make the topic table's anew."""
    async with admin_of(bootstrap) as admin:

        async def left() -> list[str]:
            return [name for name in await admin.list_topics() if not name.startswith("__")]

        async def none_left() -> bool:
            return not await left()

        if names := await left():
            await admin.delete_topics(names)
            await wait_until(none_left)
    await ensure_topics(bootstrap, TOPICS)


async def changelog_of(bootstrap: str, app_id: str) -> str:
    """The changelog topic of a Faust app, which must have one."""
    async with admin_of(bootstrap) as admin:
        names: list[str] = await admin.list_topics()
    [name] = [name for name in names if name.startswith(f"{app_id}-") and name.endswith("-changelog")]
    return name


async def delete_topic(bootstrap: str, name: str) -> None:
    """AssertionError where there is no such topic."""
    async with admin_of(bootstrap) as admin:

        async def gone() -> bool:
            return name not in await admin.list_topics()

        assert not await gone(), f"there is no topic {name}"
        await admin.delete_topics([name])
        await wait_until(gone)


async def delete_records(bootstrap: str, topic: Topic, before: Mapping[int, int]) -> None:
    """Let the log begin at the offset `before` (by partition), as retention does in time."""
    async with admin_of(bootstrap) as admin:
        await admin.delete_records(
            {TopicPartition(topic, number): RecordsToDelete(offset) for number, offset in before.items()}
        )


async def delete_group(bootstrap: str, group: str) -> None:
    """With its offsets, once its last member counts as gone."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()

    async def gone() -> bool:
        answer = await client.send(client.get_random_node(), DeleteGroupsRequest([group]))
        return [error for _, error in answer.results] == [0]

    try:
        await wait_until(gone, 60)
    finally:
        await client.close()


async def shared_by(bootstrap: str, group: str, members: int, *, but: Collection[str] = ()) -> set[str]:
    """Wait until so many members have divided the group's partitions among them, none of them one of `but`.

    Returns their ids; a process has another at each of its starts.
    """
    async with admin_of(bootstrap) as admin:

        async def shared() -> set[str]:
            try:
                [answer] = await admin.describe_consumer_groups([group])
            except GroupCoordinatorNotAvailableError:
                return set()
            [[_, _, state, _, _, found, *_]] = answer.groups
            ids = {member[0] for member in found}
            return ids if state == "Stable" and len(ids) == members and ids.isdisjoint(but) else set()

        return await wait_until(shared, 90)


async def produce(bootstrap: str, topic: Topic, values: Iterable[bytes | None], key: bytes) -> list[Record]:
    """Write bare records, readable or not; returns where each came to lie."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        written = []
        for value in values:
            place = await producer.send_and_wait(topic, value, key=key)
            written.append(Record(place.partition, place.offset, key, value))
        return written
    finally:
        await producer.stop()


async def read_all(bootstrap: str, topic: str) -> list[Record]:
    """Every record that the topic holds now, in order within a partition."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Record] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                found += [Record(each.partition, each.offset, each.key, each.value, each.headers) for each in messages]
        return found
    finally:
        await consumer.stop()


async def read_items(bootstrap: str, topic: Topic) -> list[object]:
    return [item for record in await read_all(bootstrap, topic) for item in decode(topic, record.value).items]


async def log_ends(bootstrap: str, topic: Topic) -> dict[int, int]:
    """Partition → offset after its last record, of those that hold any."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return {partition.partition: offset for partition, offset in ends.items() if offset}
    finally:
        await consumer.stop()
