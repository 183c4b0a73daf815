"""The connector between a simulated Corsight and a backend in trouble, judged by what the system says it told."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.ingest.simulator.server import CorsightSimulator
from tests.faults.injected import AWAY_SECONDS
from tests.faults.rig import DRAIN_SECONDS, Rig
from tests.support.simulated import appearances_of, environment_of, has_sessions_of
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

EVENTS_PER_SECOND = 200.0
KILLS = 20
BETWEEN_KILLS = (0.5, 5.0)
"""A start takes some two seconds: some kills meet it, some the reading back, some the stream."""

PLACES = ("ingest.before_publish:5", "ingest.after_publish:5", "ingest.after_publish:30")

PEAK_BYTES = 200 * 1024 * 1024


@asynccontextmanager
async def connected(rig: Rig, name: str, *sources: str) -> AsyncIterator[CorsightSimulator]:
    """The connector on a busy Corsight, which falls silent when the block ends. Then the whole of it must be stored.

    The shop's cameras are always the same, so the rig serves no other test afterwards.
    """
    rig.is_whole = False
    async with CorsightSimulator(seed=11, pace=EVENTS_PER_SECOND) as vendor:
        await rig.processes.start("ingest", **environment_of(vendor, *sources))
        restarts = rig.processes.restarts.total()
        yield vendor
        vendor.finished.set()
        truth = vendor.truth()
        await has_sessions_of(rig.pool, truth, DRAIN_SECONDS)
        judged = rig.sources()
        judged.accepted = appearances_of(truth)
        # No history keeps insight events, so those of a gap are gone.
        kept = {row["insight_id"] for row in await rig.pool.fetch("SELECT insight_id FROM insights")}
        judged.insights = [insight for insight in truth["insights"] if insight["insight_id"] in kept]
        await rig.judge(name, judged, restarts)
        rig.processes.stop("ingest")
    peak = rig.processes.peak_bytes["ingest"]
    assert peak < PEAK_BYTES, f"the connector took {peak >> 20} MiB"


async def stored_appearances(rig: Rig, count: int) -> None:
    """Wait until so many more are stored than there are now."""
    query = "SELECT count(*) FROM appearances"
    before = await rig.pool.fetchval(query)

    async def are_there() -> bool:
        return bool(await rig.pool.fetchval(query) >= before + count)

    await wait_until(are_there, DRAIN_SECONDS)


async def test_kills_in_the_middle_of_a_page_and_of_the_stream(rig: Rig) -> None:
    name = f"connector killed at {len(PLACES)} places and {KILLS} times at random"
    async with connected(rig, name, "sse", "history"):
        for place in PLACES:
            await rig.processes.killed_at("ingest", place)
        chance = random.Random(7)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(*BETWEEN_KILLS))
            rig.processes.kill("ingest")
        await stored_appearances(rig, 20)


async def test_a_broker_that_is_away_while_events_stream_in(rig: Rig) -> None:
    async with connected(rig, "broker away for a minute, with the stream on", "sse"):
        await stored_appearances(rig, 20)
        rig.servers.end("kafka", signal.SIGTERM)
        await asyncio.sleep(AWAY_SECONDS)
        state, detail = await rig.pool.fetchrow("SELECT state, detail FROM sources WHERE name = 'corsight:sse'")
        await rig.servers.start_again("kafka")
        assert state == "retrying"
        assert "Kafka" in detail
        await stored_appearances(rig, 20)
