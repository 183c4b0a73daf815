"""PostgreSQL connections."""

import asyncpg
import msgspec

from services.common.health import Check, Health

SERVER_AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    # Of a connection whose server has said goodbye, but has not hung up yet.
    asyncpg.InternalClientError,
    OSError,
)
"""What is no fault of the statement: away, restarting, full, a standby, or the loser of a deadlock. Try again later."""


JSONB_VERSION = b"\x01"
"""The first byte of a jsonb value on the wire; the rest is its text."""


async def _prepare(connection: asyncpg.Connection) -> None:
    # In binary, because only binary types can be copied.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: JSONB_VERSION + msgspec.json.encode(value),
        decoder=lambda value: msgspec.json.decode(value[1:]),
        format="binary",
    )


async def create_pool(dsn: str, name: str, max_size: int = 10, **server_settings: str) -> asyncpg.Pool:
    """A pool whose connections speak UTC, read jsonb as Python values and carry the process's name."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        init=_prepare,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC", **server_settings},
    )


def postgres_check(pool: asyncpg.Pool) -> Check:
    async def check() -> Health:
        await pool.fetchval("SELECT 1")
        return Health(ok=True, detail={})

    return check
