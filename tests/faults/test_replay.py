"""Everything read once more, into the database that has it and into an empty one; state that is gone."""

from functools import partial
from itertools import cycle
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from services.common.postgres import create_pool
from tests.faults.invariants import Places
from tests.faults.rig import Fault, Rig
from tests.support.databases import fresh_database
from tests.support.kafka import changelog_of, delete_topic, read_all
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

FACTS = ("appearances", "sessions", "occupancy_minutes", "insights", "alerts", "alert_rules", "cameras", "quarantine")

SERVICES = ("processor", "insights")

HARM = (b"\xc1", b"", b"garbage", b"\x93\x01\x02", b"\xa4\xff\xff\xff\xff", b"\x91" * 100_000)
"""No MessagePack, nothing, another type, cut off, no UTF-8, and too deep."""

PARTITIONS_HARMED = 2

NO_FACTS = "{quarantined_at,revision,doubted}"

WHAT_HOLDS = {"sessions": "status = 'active'", "alerts": "status <> 'resolved'"}


async def facts(pool: asyncpg.Pool) -> dict[str, list[Any]]:
    """Every row of every table of facts that holds, but for revisions, doubts, and when something was refused.

    What held for a moment, until it was repaired, and how often, follows from where the sink cut its batches: sessions
    that another one absorbed, and alerts that were resolved with such a session.
    """
    found = {}
    for table in FACTS:
        where = WHAT_HOLDS.get(table, "true")
        query = f"SELECT to_jsonb({table}) - '{NO_FACTS}'::text[] AS row FROM {table} WHERE {where}"
        found[table] = sorted(str(row["row"]) for row in await pool.fetch(query))
    return found


async def resolved(pool: asyncpg.Pool) -> set[str]:
    return {row["alert_id"] for row in await pool.fetch("SELECT alert_id FROM alerts WHERE status = 'resolved'")}


async def test_a_full_replay_gives_the_same_tables(rig: Rig, tmp_path: Any) -> None:
    rig.is_whole = False
    async with rig.sources() as load:
        async with load.running():
            await rig.written(load, 2000)
        await rig.judge("none", load)
    before, history = await facts(rig.pool), await resolved(rig.pool)
    assert history, "no alert was resolved, so none can be missing afterwards"

    rig.processes.stop("sink")
    await rig.pool.execute("UPDATE sink_offsets SET next_offset = 0")
    await rig.processes.start("sink")
    await rig.judge("all read again into the full database", load)
    assert_same(await facts(rig.pool), before)

    rig.processes.stop("sink")
    async with fresh_database(rig.servers.postgres) as empty:
        await rig.processes.start("sink", DWELL_POSTGRES=empty)
        async with await create_pool(empty, "faults") as rig.pool, Places(rig.kafka, rig.pool) as rig.places:
            await rig.judge("all read again into an empty database", load)
            assert_same(await facts(rig.pool), before)
            assert not history - await resolved(rig.pool)
        rig.processes.stop("sink")


def assert_same(found: dict[str, list[Any]], wanted: dict[str, list[Any]]) -> None:
    for table, rows in wanted.items():
        differing = sorted(set(rows) ^ set(found[table]))
        assert not differing, f"{table}: {len(differing)} rows differ, such as {differing[:4]}"
        assert found[table] == rows


def state_deleted(service: str) -> Fault:
    async def fault(rig: Rig) -> None:
        await rig.accepts_more(1000)
        rig.processes.stop(service)
        await delete_topic(rig.kafka, await changelog_of(rig.kafka, f"dwell-{service}"))
        await rig.processes.start(service)
        await rig.accepts_more()

    return fault


@pytest.mark.parametrize("service", SERVICES)
async def test_state_is_gone(rig: Rig, service: str) -> None:
    await rig.endure(f"changelog of {service} deleted", state_deleted(service))


def state_corrupted(service: str) -> Fault:
    """Every third value of some partitions becomes something else. Each costs a restart."""

    async def fault(rig: Rig) -> None:
        await rig.accepts_more(1000)
        rig.processes.stop(service)
        changelog = await changelog_of(rig.kafka, f"dwell-{service}")
        harm = cycle(HARM)
        async with AIOKafkaProducer(bootstrap_servers=rig.kafka, acks="all") as producer:
            records = list({record.key: record for record in await read_all(rig.kafka, changelog)}.values())
            chosen = sorted({record.partition for record in records})[:PARTITIONS_HARMED]
            for record in [record for record in records if record.partition in chosen][::3]:
                await producer.send(changelog, next(harm), key=record.key, partition=record.partition)
        await rig.processes.start(service)
        await rig.accepts_more()
        await wait_until(partial(says, rig, service, "building state anew"))

    return fault


async def says(rig: Rig, service: str, words: str) -> bool:
    return words in rig.processes.log(service).read_text(errors="replace")


@pytest.mark.parametrize("service", SERVICES)
async def test_state_is_corrupted(rig: Rig, service: str) -> None:
    await rig.endure(f"changelog of {service} corrupted", state_corrupted(service))
