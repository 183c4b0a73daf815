"""Everything read once more, into the database that has it and into an empty one; state that is gone."""

from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.common.postgres import create_pool
from tests.faults.invariants import Places
from tests.faults.rig import Fault, Rig
from tests.support.databases import fresh_database
from tests.support.waiting import wait_until

pytestmark = pytest.mark.fault

FACTS = ("appearances", "sessions", "occupancy_minutes", "insights", "alerts", "alert_rules", "cameras", "quarantine")

CHANGELOGS = {"processor": "dwell-processor-appearances-changelog", "insights": "dwell-insights-cameras-changelog"}


async def facts(pool: asyncpg.Pool) -> dict[str, list[Any]]:
    """Every row of every table of facts, but for the time at which something was refused."""
    found = {}
    for table in FACTS:
        rows = await pool.fetch(f"SELECT to_jsonb({table}) - 'quarantined_at' AS row FROM {table}")
        found[table] = sorted(str(row["row"]) for row in rows)
    return found


async def test_a_full_replay_gives_the_same_tables(rig: Rig, tmp_path: Any) -> None:
    async with rig.sources() as load:
        async with load.running():
            await rig.written(load, 2000)
        await rig.judge("none", load)
    before = await facts(rig.pool)

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
        await delete_topic(rig.kafka, CHANGELOGS[service])
        await rig.processes.start(service)
        await rig.accepts_more()

    return fault


async def delete_topic(kafka: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()

    async def is_gone() -> bool:
        return name not in await admin.list_topics()

    try:
        await admin.delete_topics([name])
        await wait_until(is_gone)
    finally:
        await admin.close()


@pytest.mark.parametrize("service", CHANGELOGS)
async def test_state_is_gone(rig: Rig, service: str) -> None:
    await rig.endure(f"changelog of {service} deleted", state_deleted(service))
