"""Connections to a PostgreSQL that goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

from services.common.postgres import SERVER_AWAY, create_pool

FIELDS = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
GOODBYE = b"E" + (len(FIELDS) + 4).to_bytes(4, "big") + FIELDS


@asynccontextmanager
async def goodbye_without_hanging_up(dsn: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A way to the server on which it says once the event is set that it ends, and then stays."""
    said = asyncio.Event()
    address = urlsplit(dsn)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(65_536):
            writer.write(some)
        writer.close()

    async def connected(from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(address.hostname, address.port)

        async def say_goodbye() -> None:
            await said.wait()
            to_client.write(GOODBYE)

        goodbye = asyncio.create_task(say_goodbye())
        await asyncio.gather(relay(from_client, to_server), relay(from_server, to_client))
        goodbye.cancel()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        netloc = f"{address.username}:{address.password}@127.0.0.1:{port}"
        yield urlunsplit(address._replace(netloc=netloc)), said


async def test_a_server_that_has_said_goodbye_is_away(database: str) -> None:
    async with goodbye_without_hanging_up(database) as (dsn, said):
        pool = await create_pool(dsn, "test", max_size=1)
        connection = await pool.acquire()
        assert await connection.fetchval("SELECT 1") == 1
        said.set()
        await asyncio.sleep(0.1)
        with pytest.raises(SERVER_AWAY):
            await connection.fetchval("SELECT 1")
        pool.terminate()
