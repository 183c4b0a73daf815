"""A selection that runs with every other test: each kind of process dies once, each server once, on one rig."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.test_servers import LocalServers
from tests.faults import injected
from tests.faults.rig import Fault, Rig, running_rig

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_rig(breakable_servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with running_rig(breakable_servers, tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_the_stored_facts_are_the_oracles(shared_rig: Rig, name: str, fault: Fault) -> None:
    await shared_rig.endure(name, fault)
