"""The sink as a process, between a real Kafka and a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import msgspec
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.common import Envelope
from services.common.events.sessions import Session
from services.common.kafka.envelopes import BadItem
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import refuse_record
from services.common.postgres import create_pool
from services.common.topics import PARTITIONS, Topic
from tests.support.kafka import produce
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.waiting import wait_until

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def appearance(number: int) -> Appearance:
    started_at = NOON + timedelta(seconds=number)
    return Appearance(
        appearance_key=f"a{number}",
        appearance_id=f"a{number}",
        camera_id=f"c{number % 9}",
        subject_id=f"track:a{number}",
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=5),
        reported_at=started_at,
        source="corsight:webhook",
    )


def session(number: int, revision: int) -> Session:
    return Session(
        session_id=f"s{number}",
        camera_id=f"c{number % 9}",
        subject_id=f"p{number}",
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=revision),
        dwell_seconds=float(revision),
        visible_seconds=float(revision),
        appearance_count=revision,
        age_group="other",
        gender="other",
        status="active",
        revision=revision,
    )


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with await create_pool(database, "test") as opened:
        yield opened


@pytest_asyncio.fixture
async def producer(servers: Servers, topics: None) -> AsyncIterator[EventProducer]:
    async with EventProducer(servers.kafka, "test", linger_ms=5) as opened:
        yield opened


async def log_ends(servers: Servers, topic: Topic) -> dict[int, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return {partition.partition: offset for partition, offset in ends.items() if offset}
    finally:
        await consumer.stop()


async def written(pool: asyncpg.Pool, servers: Servers, *topics: Topic) -> None:
    """Wait until the database has read the topics to their ends."""

    async def to_the_end() -> bool:
        query = "SELECT partition, next_offset FROM sink_offsets WHERE topic = $1 AND next_offset > 0"
        found = [{row[0]: row[1] for row in await pool.fetch(query, topic)} for topic in topics]
        return found == [await log_ends(servers, topic) for topic in topics]

    await wait_until(to_the_end, 60)


class TestSink:
    async def test_facts_of_every_kind_are_stored_and_it_says_that_it_is_ready(
        self, service_process: ServiceProcesses, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        await producer.publish(Topic.APPEARANCES, [appearance(1)], "test")
        await producer.publish(Topic.SESSIONS, [session(1, 1), session(1, 2)], "test")
        camera = Camera(camera_id="c1", source="corsight:webhook", heartbeat_at=NOON, description="Main entrance")
        await producer.publish(Topic.CAMERAS, [camera], "test")
        await service_process.start("sink")

        async def stored() -> bool:
            row = await pool.fetchrow(
                "SELECT (SELECT count(*) FROM appearances) AS appearances,"
                " (SELECT max(revision) FROM sessions) AS revision,"
                " (SELECT camera_category FROM cameras WHERE heartbeat_at IS NOT NULL) AS category"
            )
            return tuple(row) == (1, 2, "entrance")

        await wait_until(stored)
        async with httpx.AsyncClient(trust_env=False) as client:
            found = (await client.get(f"{service_process.address('sink')}/readyz")).json()
        assert set(found["checks"]) == {"postgres", "kafka", "writing"}

    async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        whole = service_process.environment
        service_process.environment = {**whole, "DWELL_SINK_BATCH_RECORDS": "1"}
        count, so_far = 3000, 0

        async def moved_on() -> bool:
            return bool(await pool.fetchval("SELECT count(*) FROM appearances") > so_far)

        for revision in (1, 2):
            for first in range(0, count, 50):
                await producer.publish(Topic.APPEARANCES, map(appearance, range(first, first + 50)), "test")
            await producer.publish(Topic.SESSIONS, [session(number, revision) for number in range(count)], "test")
        for _ in range(4):
            service_process.spawn("sink", "-m", "services.sink")
            await wait_until(moved_on)
            service_process.kill("sink")
            so_far = await pool.fetchval("SELECT count(*) FROM appearances")
        service_process.environment = whole
        await service_process.start("sink")
        await written(pool, servers, Topic.APPEARANCES, Topic.SESSIONS)
        assert await pool.fetchval("SELECT count(*) FROM appearances") == count
        assert await pool.fetch("SELECT count(*), min(revision), max(revision) FROM sessions") == [(count, 2, 2)]
        assert await pool.fetchval("SELECT count(*) FROM quarantine") == 0

    async def test_an_unreadable_record_is_quarantined_once_and_its_neighbours_are_stored(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        good = msgspec.json.encode(Envelope(camera_id="c1", source="test", items=[appearance(1)]))
        _, broken, _ = await produce(servers.kafka, Topic.APPEARANCES, [good, b"\x00not json", good], key=b"c1")
        # The processor reads the same record and tells of it too.
        told = refuse_record(
            Topic.APPEARANCES, broken.partition, broken.offset, BadItem(b"\x00not json", "bad_json", "told"), "c1"
        )
        await producer.publish(Topic.QUARANTINE, [told], told.source)
        await service_process.start("sink")
        await written(pool, servers, Topic.APPEARANCES, Topic.QUARANTINE)
        assert await pool.fetch("SELECT source, raw FROM quarantine") == [
            (f"kafka:appearances.v1/{broken.partition}/{broken.offset}", b"\x00not json")
        ]
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 1

    async def test_while_the_database_refuses_it_waits_visibly_and_then_catches_up(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        await service_process.start("sink")
        await pool.execute("ALTER TABLE appearances RENAME TO away")
        await producer.publish(Topic.APPEARANCES, map(appearance, range(20)), "test")
        ready_url = f"{service_process.address('sink')}/readyz"

        async with httpx.AsyncClient(trust_env=False) as client:

            async def unwell() -> bool:
                return (await client.get(ready_url)).status_code == httpx.codes.SERVICE_UNAVAILABLE

            await wait_until(unwell)
            await pool.execute("ALTER TABLE away RENAME TO appearances")
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'dwell-sink' AND datname = current_database()"
            )
            await written(pool, servers, Topic.APPEARANCES)
            await service_process.ready("sink")
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 20

    async def test_two_sinks_share_the_work(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        await service_process.start("sink")
        other_port = service_process.environment["DWELL_NOTIFIER_PORT"]
        other = {"DWELL_SINK_PORT": other_port, "DWELL_INSTANCE_ID": "other"}
        service_process.environment = {**service_process.environment, **other}
        service_process.spawn("other", "-m", "services.sink")
        for first in range(0, 1000, 100):
            await producer.publish(Topic.APPEARANCES, map(appearance, range(first, first + 100)), "test")
        async with httpx.AsyncClient(trust_env=False) as client:

            async def shared() -> bool:
                try:
                    found = await client.get(f"http://127.0.0.1:{other_port}/readyz")
                except httpx.TransportError:
                    return False
                partitions = int(found.json()["checks"]["writing"].get("partitions", 0))
                return 0 < partitions < 8 * PARTITIONS

            await wait_until(shared)
        await producer.publish(Topic.APPEARANCES, map(appearance, range(1000, 2000)), "test")
        await written(pool, servers, Topic.APPEARANCES)
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 2000
