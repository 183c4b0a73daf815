"""What tests do with Kafka beyond what the services do."""

from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

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


async def make_topics_empty(bootstrap: str) -> None:
    """Delete every topic, tables' changelogs and committed offsets with them, and make the topic table's anew."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def left() -> list[str]:
        return [name for name in await admin.list_topics() if not name.startswith("__")]

    async def none_left() -> bool:
        return not await left()

    try:
        if names := await left():
            await admin.delete_topics(names)
            await wait_until(none_left)
    finally:
        await admin.close()
    await ensure_topics(bootstrap, TOPICS)


async def changelog_of(bootstrap: str, app_id: str) -> str:
    """The changelog topic of a Faust app, which must have one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names: list[str] = await admin.list_topics()
    finally:
        await admin.close()
    [name] = [name for name in names if name.startswith(f"{app_id}-") and name.endswith("-changelog")]
    return name


async def delete_topic(bootstrap: str, name: str) -> None:
    """AssertionError where there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def gone() -> bool:
        return name not in await admin.list_topics()

    try:
        assert not await gone(), f"there is no topic {name}"
        await admin.delete_topics([name])
        await wait_until(gone)
    finally:
        await admin.close()


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
