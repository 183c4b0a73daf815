"""The faults that are one act each; a test gives one to `Rig.endure`."""

import asyncio
import random
import signal
from collections.abc import Mapping, Sequence

import asyncpg
from redis.asyncio import Redis

from tests.faults.rig import Fault, Rig

LOCK_SECONDS = 30
AWAY_SECONDS = 60

THROTTLED_ROUNDS = 10
THROTTLED_SECONDS = 3.0

BETWEEN_KILLS = (1.0, 18.0)
"""A start of a Faust app takes some ten seconds: half of the kills meet its recovery, the others its work."""

STARTS = (6.0, 16.0)
BACKLOGS = 10


def killed_at(failpoints: Mapping[str, str]) -> Fault:
    """Each named process kills itself at its failpoint, all in the same while."""

    async def fault(rig: Rig) -> None:
        await asyncio.gather(*(rig.processes.killed_at(name, failpoint) for name, failpoint in failpoints.items()))
        await rig.accepts_more()

    return fault


def killed_often(names: Sequence[str], times: int) -> Fault:
    """Each so many times, each at its own random instants."""

    async def kill(rig: Rig, name: str) -> None:
        chance = random.Random(name)
        for _ in range(times):
            await asyncio.sleep(chance.uniform(*BETWEEN_KILLS))
            rig.processes.kill(name)

    async def fault(rig: Rig) -> None:
        await asyncio.gather(*(kill(rig, name) for name in names))
        await rig.accepts_more()

    return fault


async def restarted_on_a_backlog(rig: Rig) -> None:
    """Faust puts its reading in place while it starts; most can go wrong where much is waiting to be read."""
    chance = random.Random(5)
    for _ in range(BACKLOGS):
        await rig.load.backlog(400)
        for name in ("processor", "insights"):
            rig.processes.kill(name)
        await asyncio.sleep(chance.uniform(*STARTS))


async def broker_killed(rig: Rig) -> None:
    rig.servers.end("kafka", signal.SIGKILL)
    await rig.servers.start_again("kafka")
    await rig.accepts_more()


async def broker_away(rig: Rig) -> None:
    rig.servers.end("kafka", signal.SIGTERM)
    await asyncio.sleep(AWAY_SECONDS)
    answers = list(rig.load.refusals)
    await rig.servers.start_again("kafka")
    assert {(answer.status_code, "retry-after" in answer.headers) for answer in answers} == {(503, True)}
    await rig.accepts_more()


async def postgres_stopped_at_once(rig: Rig) -> None:
    # To the server's process QUIT is what `pg_ctl stop -m immediate` sends: no checkpoint, recovery at the next start.
    rig.servers.end("postgres", signal.SIGQUIT)
    await rig.servers.start_again("postgres")
    await rig.accepts_more()


async def postgres_sessions_ended(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.dsn)
    for _ in range(5):
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await rig.accepts_more(50)
    await connection.close()


async def postgres_locked(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.dsn)
    async with connection.transaction():
        # One table: whoever locks several may meet the sink half way, and PostgreSQL ends one of the two.
        await connection.execute("LOCK TABLE appearances IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(LOCK_SECONDS)
    await connection.close()
    await rig.accepts_more()


async def postgres_slow(rig: Rig) -> None:
    """Writing is let through for a tenth of the time."""
    connection = await asyncpg.connect(rig.dsn)
    for _ in range(THROTTLED_ROUNDS):
        async with connection.transaction():
            await connection.execute("LOCK TABLE sink_offsets IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(0.9 * THROTTLED_SECONDS)
        await asyncio.sleep(0.1 * THROTTLED_SECONDS)
    await connection.close()
    await rig.accepts_more()


async def sink_throttled(rig: Rig) -> None:
    """It runs for a tenth of the time, on a backlog. The others go on, and it must not take more than it can hold."""
    for _ in range(THROTTLED_ROUNDS):
        rig.processes.signal("sink", signal.SIGSTOP)
        backlog = asyncio.create_task(rig.load.backlog(400))
        await asyncio.sleep(0.9 * THROTTLED_SECONDS)
        rig.processes.signal("sink", signal.SIGCONT)
        await asyncio.sleep(0.1 * THROTTLED_SECONDS)
        await backlog
    assert await rig.places.lag(), "the sink kept up, so it was not throttled"
    await rig.accepts_more()


async def redis_flushed(rig: Rig) -> None:
    async with Redis.from_url(rig.servers.redis) as redis:
        for _ in range(5):
            await redis.flushall()
            await rig.accepts_more(50)


async def redis_killed(rig: Rig) -> None:
    rig.servers.end("redis", signal.SIGKILL)
    await rig.accepts_more()
    await rig.servers.start_again("redis")
    await rig.accepts_more()
