"""The least that Kafka takes: from a bare producer's acknowledgement to a bare consumer's hands."""

import asyncio
from time import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.common.topics import PARTITIONS
from tests.benchmarks.load import CAMERAS
from tests.benchmarks.pace import Times, steadily, waited
from tests.support.waiting import wait_until

TOPIC = "bench.pair"


async def pair_latency(bootstrap: str, per_second: float, events: int) -> list[float]:
    """Milliseconds of each event, with aiokafka's default settings on both sides."""
    accepted: Times = {}
    arrived: Times = {}
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer,
        AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer,
    ):
        partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)

        async def consume() -> None:
            async for record in consumer:
                arrived[record.value.decode()] = time()

        async def produce(number: int) -> None:
            await producer.send_and_wait(TOPIC, str(number).encode(), key=f"camera-{number % CAMERAS}".encode())
            accepted[str(number)] = time()

        async def all_arrived() -> bool:
            return len(arrived) == events

        consuming = asyncio.create_task(consume())
        async with asyncio.TaskGroup() as producing:
            async for number in steadily(per_second, events):
                producing.create_task(produce(number))
        await wait_until(all_arrived)
        consuming.cancel()
    return waited(accepted, arrived)
