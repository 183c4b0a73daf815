"""How much state the processor writes for one live event."""

import asyncio

from aiokafka import AIOKafkaProducer

from services.common.topics import Topic
from services.processor.app import APP_ID
from tests.benchmarks.bench import Bench
from tests.benchmarks.drain import ends_of, read_from, wait_until_committed
from tests.benchmarks.load import CAMERAS, bulk, fill, single
from tests.support.kafka import changelog_of

SEEN = 5_000
"""Of each camera before: its values are then as large as they become."""

EVENTS = 2_000
PER_SECOND = 400
"""Slow enough that no two records of a partition wait together and share a write."""


async def state_bytes_per_event(bench: Bench) -> float:
    """Bytes of keys and values in the changelog per event."""
    kafka, events = bench.servers.kafka, bench.count(EVENTS)
    async with bench.services() as processes:
        await fill(kafka, Topic.APPEARANCES, bulk(SEEN * CAMERAS))
        await processes.start("processor")
        await wait_until_committed(kafka, APP_ID, Topic.APPEARANCES)
        changelog = await changelog_of(kafka, APP_ID)
        before = await ends_of(kafka, changelog)
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for key, value in single(events, skipped=SEEN):
                await producer.send_and_wait(Topic.APPEARANCES, value, key=key)
                await asyncio.sleep(1 / PER_SECOND)
        await wait_until_committed(kafka, APP_ID, Topic.APPEARANCES)
        written = await read_from(kafka, changelog, before)
    return sum(len(record.key) + len(record.value) for record in written) / events
