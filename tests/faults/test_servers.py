"""Kafka, PostgreSQL and Redis that crash, are away, or answer late; and a sink that lags."""

import pytest

from tests.faults import injected
from tests.faults.rig import Fault, Rig

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

FAULTS: list[tuple[str, Fault]] = [
    ("broker killed and restarted", injected.broker_killed),
    ("broker away for a minute", injected.broker_away),
    ("PostgreSQL stopped at once", injected.postgres_stopped_at_once),
    ("PostgreSQL ends every session", injected.postgres_sessions_ended),
    ("a table of PostgreSQL locked for 30 s", injected.postgres_locked),
    ("PostgreSQL slow", injected.postgres_slow),
    ("sink at a tenth of its speed", injected.sink_throttled),
    ("Redis flushed", injected.redis_flushed),
    ("Redis killed", injected.redis_killed),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_a_server_in_trouble(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
