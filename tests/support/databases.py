"""A database of one's own for every test, copied from one that was migrated once."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.support.waiting import wait_until

TEMPLATE = "dwell_template"


def of_name(dsn: str, name: str) -> str:
    """The same server's database of another name."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def make_template(dsn: str) -> None:
    asyncio.run(_execute(dsn, f"CREATE DATABASE {TEMPLATE}"))
    subprocess.run(
        [sys.executable, "-m", "services.sink", "migrate"],
        env={**os.environ, "DWELL_POSTGRES": of_name(dsn, TEMPLATE)},
        check=True,
    )


@asynccontextmanager
async def fresh_database(dsn: str) -> AsyncIterator[str]:
    """The DSN of a migrated, empty database that is dropped afterwards, whoever is still connected."""
    name = f"dwell_{uuid.uuid4().hex}"
    await _execute(dsn, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    try:
        yield of_name(dsn, name)
    finally:
        await _drop(dsn, name)


async def _drop(dsn: str, name: str) -> None:
    async def dropped() -> bool:
        try:
            await _execute(dsn, f"DROP DATABASE {name} WITH (FORCE)")
        except asyncpg.InsufficientPrivilegeError:
            # An autovacuum worker is in it, which only a superuser may end.
            return False
        return True

    await wait_until(dropped)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
