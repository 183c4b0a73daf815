"""Kafka, PostgreSQL and Redis that crash, are away, or answer late."""

import pytest

from tests.faults import injected
from tests.faults.rig import Fault, Rig

pytestmark = pytest.mark.fault

FAULTS: list[tuple[str, Fault]] = [
    ("broker killed and restarted", injected.broker_killed),
    ("broker away for a minute", injected.broker_away),
    ("PostgreSQL stopped at once", injected.postgres_stopped_at_once),
    ("PostgreSQL ends every session", injected.postgres_sessions_ended),
    ("PostgreSQL's tables locked for 30 s", injected.postgres_locked),
    ("Redis flushed", injected.redis_flushed),
    ("Redis killed", injected.redis_killed),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_a_server_in_trouble(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
