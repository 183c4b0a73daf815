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
    OSError,
)
"""What is no fault of the statement: away, restarting, full, a standby, or the loser of a deadlock. Try again later."""


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


async def create_pool(dsn: str, name: str, max_size: int = 10) -> asyncpg.Pool:
    """A pool whose connections speak UTC, read jsonb as Python values and carry the process's name."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        init=_prepare,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC"},
    )


def postgres_check(pool: asyncpg.Pool) -> Check:
    async def check() -> Health:
        await pool.fetchval("SELECT 1")
        return Health(ok=True, detail={})

    return check
