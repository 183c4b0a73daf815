"""The sink as a process, between a real Kafka and a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.cameras import Camera
from services.common.events.common import Envelope
from services.common.events.sessions import Session
from services.common.kafka.envelopes import BadItem
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import refuse_record
from services.common.sessions import session_of
from services.common.topics import PARTITIONS, Topic
from services.sink.consumer import GROUP
from tests.support.kafka import produce
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.stored import written
from tests.support.streams import drained
from tests.support.waiting import wait_until

READS_NOTHING = """
import asyncio
from services.sink import __main__, consumer
async def poll(self):
    await asyncio.Event().wait()
consumer.Consumer._poll = poll
__main__.main()
"""

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
    """What the appearance of the number amounts to."""
    seen = appearance(number)
    return session_of(seen.camera_id, seen.subject_id, [MergedAppearance.of(seen)], revision)


class TestSink:
    async def test_facts_of_every_kind_are_stored_and_it_says_that_it_is_ready(
        self, service_process: ServiceProcesses, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        await producer.publish(Topic.APPEARANCES, [appearance(1)], "test")
        await producer.publish(Topic.SESSIONS, [session(1, 0), session(1, 2)], "test")
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
        assert set(found["checks"]) == {"postgres", "kafka", "writing", "telling"}

    async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        whole = service_process.environment
        service_process.environment = {**whole, "DWELL_SINK_BATCH_RECORDS": "1"}
        count, so_far = 3000, 0

        async def moved_on() -> bool:
            return bool(await pool.fetchval("SELECT count(*) FROM appearances") > so_far)

        for revision in (2000, 2002):
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
        await written(pool, servers.kafka, Topic.APPEARANCES, Topic.SESSIONS)
        assert await pool.fetchval("SELECT count(*) FROM appearances") == count
        assert await pool.fetch("SELECT count(*), min(revision), max(revision) FROM sessions") == [(count, 2002, 2002)]
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
        await written(pool, servers.kafka, Topic.APPEARANCES, Topic.QUARANTINE)
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
            await written(pool, servers.kafka, Topic.APPEARANCES)
            await service_process.ready("sink")
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 20

    async def test_one_that_reads_no_more_with_records_waiting_ends(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        service_process.environment = {**service_process.environment, "DWELL_WATCHDOG_SECONDS": "3"}
        service_process.spawn("sink", "-c", READS_NOTHING)
        await producer.publish(Topic.APPEARANCES, [appearance(1)], "test")
        assert await asyncio.to_thread(service_process.wait, "sink", 60) == 1
        assert "records wait and none is committed" in service_process.log("sink").read_text()

    async def test_where_the_database_is_is_told_to_the_group(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        """Else an idle sink would seem to stand still for ever after one lost commit."""
        await service_process.start("sink")
        await producer.publish(Topic.APPEARANCES, [appearance(1)], "test")
        await written(pool, servers.kafka, Topic.APPEARANCES)
        await drained(servers.kafka, GROUP, Topic.APPEARANCES)
        service_process.stop("sink")
        nothing_read = {TopicPartition(Topic.APPEARANCES, number): 0 for number in range(PARTITIONS)}
        someone = AIOKafkaConsumer(bootstrap_servers=servers.kafka, group_id=GROUP, enable_auto_commit=False)
        someone.assign(list(nothing_read))

        async def taken() -> bool:
            try:
                await someone.commit(nothing_read)
            except CommitFailedError:
                return False  # the one that stopped still counts as a member
            return True

        async with someone:
            await wait_until(taken)
        await service_process.start("sink")
        await drained(servers.kafka, GROUP, Topic.APPEARANCES)

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
        await written(pool, servers.kafka, Topic.APPEARANCES)
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 2000
