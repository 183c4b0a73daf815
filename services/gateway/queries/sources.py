"""The connector's sources as it wrote them down, and what people ask of it."""

import asyncio
from datetime import datetime

import asyncpg

from services.gateway.errors import ConflictError, NotFoundError, UnavailableError
from services.gateway.models import Source, SourceTest

STALE_SECONDS = 15
"""The connector speaks every two seconds."""

TEST_SECONDS = 18.0
"""The connector gives a test 15 seconds."""

POLL_SECONDS = 0.2

_SELECT = """
    SELECT name, kind, refillable, state, detail, newest_event_at, lag_seconds, events_per_minute, accepted, rejected,
           unknown, errors, next_retry_at, cursor_at, missed, warnings, paused, updated_at,
           updated_at < now() - $1 * interval '1 second' AS stale,
           (
               SELECT jsonb_build_object(
                   'since', since, 'until', until, 'finished_at', answered_at, 'rows', rows_read,
                   'accepted', commands.accepted, 'rejected', commands.rejected,
                   'error', CASE WHEN NOT succeeded THEN answer END
               )
               FROM source_commands AS commands
               WHERE source = name AND command = 'backfill' AND answered_at IS NOT NULL
               ORDER BY answered_at DESC LIMIT 1
           ) AS last_backfill
    FROM sources WHERE configured
"""


async def read_sources(db: asyncpg.Pool) -> list[Source]:
    rows = await db.fetch(f"{_SELECT} ORDER BY name", STALE_SECONDS)
    return [Source(**row) for row in rows]


async def read_source(db: asyncpg.Pool, name: str) -> Source:
    row = await db.fetchrow(f"{_SELECT} AND name = $2", STALE_SECONDS, name)
    if row is None:
        raise NotFoundError("There is no source of this name.")
    return Source(**row)


async def set_paused(db: asyncpg.Pool, name: str, *, paused: bool) -> bool:
    """Whether that changed anything."""
    await read_source(db, name)
    return bool(
        await db.fetchval(
            "UPDATE sources SET paused = $2 WHERE name = $1 AND paused <> $2 RETURNING true", name, paused
        )
    )


async def ask_test(db: asyncpg.Pool, name: str, actor: str) -> SourceTest:
    await _check_speaking(db, name)
    command_id = await db.fetchval(
        "INSERT INTO source_commands (source, command, asked_by) VALUES ($1, 'test', $2) RETURNING command_id",
        name,
        actor,
    )
    try:
        async with asyncio.timeout(TEST_SECONDS):
            return await _answer(db, command_id)
    except TimeoutError:
        raise UnavailableError("The connector does not answer.") from None


async def ask_backfill(db: asyncpg.Pool, name: str, since: datetime, until: datetime, actor: str) -> None:
    """The connector does it whenever it is back, so it need not be there now."""
    await read_source(db, name)
    asked = await db.fetchval(
        """
        INSERT INTO source_commands (source, command, since, until, asked_by)
        SELECT name, 'backfill', $2, $3, $4 FROM sources WHERE name = $1 AND refillable RETURNING command_id
        """,
        name,
        since,
        until,
        actor,
    )
    if asked is None:
        raise ConflictError("This source cannot fetch what lies in the past.")


async def _check_speaking(db: asyncpg.Pool, name: str) -> None:
    if (await read_source(db, name)).stale:
        raise UnavailableError("The connector has not spoken for a while.")


async def _answer(db: asyncpg.Pool, command_id: int) -> SourceTest:
    while True:
        row = await db.fetchrow(
            "SELECT succeeded, answer FROM source_commands WHERE command_id = $1 AND answered_at IS NOT NULL",
            command_id,
        )
        if row:
            return SourceTest(ok=row["succeeded"], detail=row["answer"])
        await asyncio.sleep(POLL_SECONDS)
