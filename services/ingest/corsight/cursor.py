"""How far each source has come, kept in PostgreSQL."""

import asyncio
from datetime import datetime

import asyncpg

from services.common.postgres import SERVER_AWAY, create_pool

CURSORS_AWAY: tuple[type[Exception], ...] = (*SERVER_AWAY, asyncpg.UndefinedTableError, TimeoutError)
"""PostgreSQL is away, or nobody has migrated it yet."""


class Cursors:
    """A cursor is an instant before which nothing is missing in Kafka; it never goes backwards.

    Every call raises one of `CURSORS_AWAY` while PostgreSQL is away.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def read(self, source: str) -> datetime | None:
        pool = await self._open()
        found: datetime | None = await pool.fetchval(
            "SELECT complete_at FROM corsight_cursors WHERE source = $1", source
        )
        return found

    async def advance(self, source: str, complete_at: datetime) -> None:
        pool = await self._open()
        await pool.execute(
            "INSERT INTO corsight_cursors AS kept (source, complete_at) VALUES ($1, $2) ON CONFLICT (source) DO UPDATE "
            "SET complete_at = excluded.complete_at, updated_at = now() WHERE kept.complete_at < excluded.complete_at",
            source,
            complete_at,
        )

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await create_pool(self._dsn, "dwell-ingest-cursors", max_size=2)
            return self._pool
