"""Database migrations: plain numbered SQL, applied once each, in order, by whoever gets the lock first."""

import hashlib
from importlib.resources import files

import asyncpg
from msgspec import Struct

from services.common.logging import get_logger

log = get_logger(__name__)

LOCK = 0x6477656C6C
"""Advisory lock: of several processes that start at once, one migrates and the others wait."""


class MigrationError(Exception):
    """The database was migrated with other files than these."""


class Migration(Struct, frozen=True):
    """One numbered file; the checksum holds what was applied against what is there now."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations() -> list[Migration]:
    folder = files("services.sink") / "migrations"
    found = (path for path in folder.iterdir() if path.name.endswith(".sql"))
    return sorted((Migration(path.name, path.read_text("utf-8")) for path in found), key=lambda each: each.name)


def pending(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """What is still to apply; `applied` is name → checksum. Raises when an applied file changed or is gone."""
    checksums = {migration.name: migration.checksum for migration in migrations}
    for name, checksum in applied.items():
        if name not in checksums:
            raise MigrationError(f"{name} was applied to the database but is not among the files")
        if checksums[name] != checksum:
            raise MigrationError(f"{name} was changed after it was applied: put the change into a new file")
    return [migration for migration in migrations if migration.name not in applied]


async def migrate(dsn: str) -> list[str]:
    """Apply what is pending, each file in a transaction of its own; returns the names applied."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "dwell-migrate"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = {row["name"]: row["checksum"] for row in await connection.fetch("SELECT * FROM schema_migrations")}
        names = []
        for migration in pending(read_migrations(), applied):
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
                    migration.name,
                    migration.checksum,
                )
            log.info("migration applied", name=migration.name)
            names.append(migration.name)
        return names
    finally:
        await connection.close()
