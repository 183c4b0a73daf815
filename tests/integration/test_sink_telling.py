"""The sink as a process: what it puts right, everybody who reads sessions.v1 learns."""

from itertools import chain
from typing import cast

import asyncpg
import msgspec
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.sessions import Session
from services.common.kafka.producer import EventProducer
from services.common.postgres import create_pool
from services.common.topics import Topic
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import Writer
from tests.support import stored
from tests.support.databases import fresh_database
from tests.support.forgetful import ForgetfulProcessor
from tests.support.kafka import read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.sink import CAMERA, GAP, NOON, seen
from tests.support.waiting import wait_until


def passing(number: int, person: str = "ann") -> Appearance:
    """Half a minute each, and half a minute between one and the next."""
    return seen(f"a{number}", 60 * number, 60 * number + 30, person)


def told_by_one_who_forgets(records: list[list[Appearance]]) -> list[Session]:
    """Without any state from record to record."""
    return [
        session
        for offset, record in enumerate(records)
        for session in ForgetfulProcessor(CAMERA, GAP).step(record, offset)
    ]


def right(records: list[list[Appearance]]) -> stored.Rows:
    return stored.sessions_of(chain.from_iterable(records), GAP)


async def latest_sessions(kafka: str) -> stored.Rows:
    """What a reader has who keeps the greatest revision of each session and drops those absorbed."""
    latest: dict[str, Session] = {}
    for session in cast(list[Session], await read_items(kafka, Topic.SESSIONS)):
        if session.session_id not in latest or session.revision > latest[session.session_id].revision:
            latest[session.session_id] = session
    active = [msgspec.structs.asdict(each) for each in latest.values() if each.status == "active"]
    return stored.keyed(active, stored.SESSION)


async def outbox_is_empty(pool: asyncpg.Pool) -> None:
    async def nothing_waits() -> bool:
        return not await pool.fetchval("SELECT count(*) FROM session_outbox")

    await wait_until(nothing_waits)


async def all_told(pool: asyncpg.Pool, kafka: str) -> None:
    await stored.written(pool, kafka, Topic.APPEARANCES, Topic.SESSIONS)
    await outbox_is_empty(pool)
    await stored.written(pool, kafka, Topic.APPEARANCES, Topic.SESSIONS)


class TestTelling:
    async def test_readers_of_the_topic_come_to_what_the_table_has(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        records = [[passing(number)] for number in range(5)]
        for record in records:
            await producer.publish(Topic.APPEARANCES, record, "test")
        await service_process.start("sink")
        for session in told_by_one_who_forgets(records):
            await producer.publish(Topic.SESSIONS, [session], "test")
            await stored.written(pool, servers.kafka, Topic.SESSIONS)
        await all_told(pool, servers.kafka)
        assert await stored.sessions(pool, [CAMERA]) == right(records)
        assert await latest_sessions(servers.kafka) == right(records)

    async def test_what_a_crash_left_untold_is_told_at_the_next_start(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        writer = Writer(pool, lambda _: GAP)
        records = [[passing(0)], [passing(1)]]
        heard = [Placed(report, Topic.APPEARANCES, 0, n, 0) for n, record in enumerate(records) for report in record]
        told = [Placed(each, Topic.SESSIONS, 0, n, 0) for n, each in enumerate(told_by_one_who_forgets(records))]
        following: dict[Partition, int] = {(Topic.APPEARANCES, 0): len(heard), (Topic.SESSIONS, 0): len(told)}
        batch = Batch(following, {Topic.APPEARANCES: heard, Topic.SESSIONS: told})
        assert (await writer.write(batch, await writer.offsets(batch.following))).repaired
        assert await pool.fetchval("SELECT count(*) FROM session_outbox") > 0
        await service_process.start("sink")
        await outbox_is_empty(pool)
        assert await latest_sessions(servers.kafka) == right(records)

    async def test_reading_everything_again_gives_the_same_sessions(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        records = [[passing(number, person) for person in ("ann", "bob")] for number in range(8)]
        # Bob's appearances turn out to be Cid's, one by one.
        records += [[replace(passing(number, "cid"), reported_at=NOON + GAP * 60)] for number in range(8)]
        for record in records:
            await producer.publish(Topic.APPEARANCES, record, "test")
        await service_process.start("sink")
        for session in told_by_one_who_forgets(records):
            await producer.publish(Topic.SESSIONS, [session], "test")
        await all_told(pool, servers.kafka)
        assert await stored.sessions(pool, [CAMERA]) == right(records)

        service_process.stop("sink")
        await pool.execute("TRUNCATE sink_offsets")
        await service_process.start("sink")
        await all_told(pool, servers.kafka)
        assert await stored.sessions(pool, [CAMERA]) == right(records)

        service_process.stop("sink")
        async with fresh_database(servers.postgres) as empty, await create_pool(empty, "test") as other:
            service_process.environment = {**service_process.environment, "DWELL_POSTGRES": empty}
            await service_process.start("sink")
            await all_told(other, servers.kafka)
            assert await stored.sessions(other, [CAMERA]) == right(records)
            service_process.stop("sink")


class TestHolding:
    async def test_a_record_from_before_the_topics_were_made_anew_does_not_stall_it(
        self, service_process: ServiceProcesses, servers: Servers, producer: EventProducer, pool: asyncpg.Pool
    ) -> None:
        records = [[passing(0)]]
        await producer.publish(Topic.APPEARANCES, records[0], "test")
        [session] = told_by_one_who_forgets(records)
        await producer.publish(Topic.SESSIONS, [replace(session, revision=10_000)], "test")
        await service_process.start("sink")
        await stored.written(pool, servers.kafka, Topic.APPEARANCES, Topic.SESSIONS)
        assert await stored.sessions(pool, [CAMERA]) == right(records)
