"""Files sent twice, at once, in other cuts, and through a gateway, a worker or a queue that breaks."""

import asyncio
import random
import signal

import pytest
from redis.asyncio import Redis

from tests.faults.load import csv_of
from tests.faults.rig import Rig
from tests.faults.walks import Report

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

ROWS = 3000


def named(rig: Rig) -> list[Report]:
    return [report for report in rig.load.take(ROWS) if report["person_id"]]


async def test_the_same_rows_as_twins_in_other_cuts_and_shuffled(rig: Rig) -> None:
    async def fault(rig: Rig) -> None:
        rows = named(rig)
        whole = csv_of(rows)
        twins = await asyncio.gather(*(rig.load.upload("whole.csv", whole) for _ in range(6)))
        assert len({upload["upload_id"] for upload in twins}) == 1
        random.Random(1).shuffle(rows)
        cuts = [rows[: ROWS // 2], rows[ROWS // 3 :], rows[::2]]
        await asyncio.gather(*(rig.load.upload(f"{n}.csv", csv_of(cut)) for n, cut in enumerate(cuts)))
        rig.load.accepted += rows

    await rig.endure("the same rows six times at once, cut otherwise and shuffled", fault)


async def test_a_gateway_that_dies_in_the_middle_of_a_file(rig: Rig) -> None:
    async def fault(rig: Rig) -> None:
        rows = named(rig)
        sending = asyncio.create_task(rig.load.upload("long.csv", csv_of(rows)))
        for turn in range(1, 4):
            await rig.processes.killed_at("gateway", f"gateway.after_publish:{turn}")
        assert (await sending)["rows_accepted"] == len(rows)
        rig.load.accepted += rows

    await rig.endure("gateway killed three times within files", fault)


@pytest.mark.parametrize("breaks", ["worker", "redis"])
async def test_queued_files(rig: Rig, breaks: str) -> None:
    async def fault(rig: Rig) -> None:
        await rig.processes.start("gateway", DWELL_INLINE_LIMIT_BYTES="1000")
        rows = named(rig)
        cuts = [rows[n::4] for n in range(4)]
        sending = [asyncio.create_task(rig.load.upload(f"{n}.csv", csv_of(cut))) for n, cut in enumerate(cuts)]
        for _ in range(3):
            await asyncio.sleep(3)
            if breaks == "worker":
                rig.processes.kill("worker")
            else:
                async with Redis.from_url(rig.servers.redis) as redis:
                    await redis.flushall()
                rig.servers.end("redis", signal.SIGKILL)
                await rig.servers.start_again("redis")
        await asyncio.gather(*sending)
        rig.load.accepted += rows

    await rig.endure(f"{breaks} killed with files in the queue", fault)
