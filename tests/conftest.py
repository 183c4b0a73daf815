"""Servers and services for the tests that need real ones.

The servers start once a session, when a test first asks for them. A test that asks for `database`, `topics` or
`settings_env` gets them empty: a database of its own, every topic made anew and Redis flushed.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from tests.support.databases import fresh_database, make_template
from tests.support.environment import environment
from tests.support.kafka import make_topics_empty
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers, running_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with running_servers() as running:
        make_template(running.postgres)
        yield running


@pytest_asyncio.fixture
async def database(servers: Servers) -> AsyncIterator[str]:
    """The DSN of a migrated, empty database."""
    async with fresh_database(servers.postgres) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def topics(servers: Servers) -> None:
    """Every topic of the table, empty, with no group's offsets and no changelog left from before."""
    await make_topics_empty(servers.kafka)


@pytest_asyncio.fixture
async def settings_env(servers: Servers, database: str, topics: None, tmp_path: Path) -> dict[str, str]:
    """The environment in which services find empty servers and ports of their own."""
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()
    return environment(servers, database, tmp_path / "home")


@pytest_asyncio.fixture
async def service_process(settings_env: dict[str, str], tmp_path: Path) -> AsyncIterator[ServiceProcesses]:
    async with ServiceProcesses(settings_env, tmp_path / "log") as processes:
        yield processes
