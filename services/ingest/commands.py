"""What lies in PostgreSQL between the connector and the gateway: the sources' rows, and what people ask of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec
from msgspec import Struct

from services.common import clock
from services.ingest.sources.base import Refillable, Source
from services.ingest.status import Fetched, Missed

TEST_SECONDS = 15.0
"""How long a test may take; the gateway waits somewhat longer for the answer."""

_TOLD = (
    "kind",
    "configured",
    "refillable",
    "state",
    "detail",
    "newest_event_at",
    "lag_seconds",
    "events_per_minute",
    "accepted",
    "rejected",
    "unknown",
    "errors",
    "next_retry_at",
    "cursor_at",
    "missed",
    "warnings",
)
_TELL = (
    f"INSERT INTO sources (name, {', '.join(_TOLD)}, updated_at)"  # noqa: S608 - names of columns, from above
    f" VALUES ($1, {', '.join(f'${number}' for number in range(2, len(_TOLD) + 2))}, clock_timestamp())"
    f" ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at,"
    f" {', '.join(f'{column} = excluded.{column}' for column in _TOLD)}"
)


class Ask(Struct, frozen=True):
    """What somebody asked of a source; a back-fill has both ends of its span."""

    command_id: int
    source: str
    command: Literal["test", "backfill"]
    since: datetime | None
    until: datetime | None


class SourceTable:
    def __init__(self, db: asyncpg.Pool) -> None:
        self._db = db

    async def go_on(self, sources: Iterable[Source]) -> None:
        """Add what earlier processes counted and missed, once; sources that are no longer set up are listed no more."""
        by_name = {source.name: source for source in sources}
        await self._db.execute("UPDATE sources SET configured = name = ANY($1)", list(by_name))
        for row in await self._db.fetch("SELECT * FROM sources WHERE configured"):
            status = by_name[row["name"]].status
            status.accepted += row["accepted"]
            status.rejected += row["rejected"]
            status.unknown += row["unknown"]
            status.newest_event_at = max(filter(None, (status.newest_event_at, row["newest_event_at"])), default=None)
            status.cursor_at = status.cursor_at or row["cursor_at"]
            for span in msgspec.convert(row["missed"], list[Missed]):
                status.missed(span.since, span.until, span.reason)

    async def tell(self, sources: Iterable[Source]) -> None:
        now = clock.now()
        await self._db.executemany(_TELL, [_row(source, now) for source in sources])

    async def paused(self) -> set[str]:
        return {row["name"] for row in await self._db.fetch("SELECT name FROM sources WHERE paused")}

    async def waiting(self) -> list[Ask]:
        """What is not answered, in the order in which it was asked; nobody waits for an old test any more."""
        rows = await self._db.fetch(
            """
            SELECT command_id, source, command, since, until FROM source_commands
            WHERE answered_at IS NULL AND (command <> 'test' OR asked_at > now() - $1 * interval '1 second')
            ORDER BY command_id
            """,
            TEST_SECONDS,
        )
        return [Ask(**row) for row in rows]

    async def answer(self, ask: Ask, *, succeeded: bool, answer: str, fetched: Fetched | None = None) -> None:
        await self._db.execute(
            """
            UPDATE source_commands
            SET answered_at = now(), succeeded = $2, answer = $3, rows_read = $4, accepted = $5, rejected = $6
            WHERE command_id = $1
            """,
            ask.command_id,
            succeeded,
            answer,
            fetched and fetched.rows,
            fetched and fetched.accepted,
            fetched and fetched.rejected,
        )


def _row(source: Source, now: datetime) -> tuple[Any, ...]:
    status = source.status
    return (
        status.name,
        status.kind,
        True,
        isinstance(source, Refillable),
        status.state,
        status.detail,
        status.newest_event_at,
        status.lag_seconds,
        status.events_per_minute(now),
        status.accepted,
        status.rejected,
        status.unknown,
        list(status.errors),
        status.next_retry_at,
        status.cursor_at,
        status.missed_spans,
        status.warnings,
    )
