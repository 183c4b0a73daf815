"""A selection that runs with every other test: gateway, processor, insights and sink die once, and each server."""

import pytest

from tests.faults import injected
from tests.faults.rig import Fault, Rig

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = {
    "processor": "workers.before_ack",
    "insights": "state.before_write:2",
    "sink": "sink.before_commit",
    "gateway": "gateway.before_response",
}
FAULTS: list[tuple[str, Fault]] = [
    ("every service killed between two steps", injected.killed_at(AT)),
    ("broker killed and restarted", injected.broker_killed),
    ("PostgreSQL stopped at once", injected.postgres_stopped_at_once),
    ("Redis killed", injected.redis_killed),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_the_stored_facts_are_the_oracles(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
