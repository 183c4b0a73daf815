"""Session records into their table, and what the stored appearances say where a record lacks some of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter

import asyncpg
from msgspec.structs import astuple

from services.common.events.appearances import MergedAppearance
from services.common.events.sessions import Session
from services.common.topics import Topic
from services.sink.appearances import MERGED_COLUMNS, merged_of
from services.sink.domain import repair
from services.sink.domain.facts import GapOf, Span
from services.sink.domain.reports import Change, Heard, unheard
from services.sink.tables import TABLES

TABLE = TABLES[Topic.SESSIONS]

_NAMES = TABLE.columns
_COLUMNS = ", ".join(_NAMES)

_DOUBTED = "SELECT session_id FROM sessions WHERE session_id = ANY($1) AND doubted"

_SPANS_IN_DOUBT = """
SELECT camera_id, subject_id, first, last
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS span (camera_id, subject_id, first, last)
WHERE EXISTS (
    SELECT FROM sessions
    WHERE status = 'active' AND sessions.subject_id = span.subject_id AND sessions.camera_id = span.camera_id
          AND started_at <= last AND ended_at >= first AND doubted
)
"""

_DOUBT = "UPDATE sessions SET doubted = true WHERE session_id = ANY($1) AND NOT doubted"

_SESSIONS_BY_ID = f"SELECT {_COLUMNS} FROM sessions WHERE session_id = ANY($1)"  # noqa: S608 - our own names

# A record that tells of the right appearances has its neighbours further away than the gap, and has as many of them as
# there are of which its processor can have known, up to the gap after its end: whoever forgot the rest of a session
# that he told of before would else be right about its beginning. Of the neighbours that start before it ends, the last
# one tells. It is sought by comparing whole rows: so no plan can choose an index on the time alone, which holds
# everybody else's sessions of that time.
_CONTRADICTED = """
SELECT told.number
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::bigint[],
            $8::interval[]) WITH ORDINALITY
     AS told (session_id, camera_id, subject_id, started_at, ended_at, appearance_count, revision, gap, number)
WHERE told.started_at - told.gap <= (
    SELECT ended_at FROM sessions
    WHERE status = 'active' AND session_id <> told.session_id
          AND (subject_id, camera_id, started_at) >= (told.subject_id, told.camera_id, '-infinity'::timestamptz)
          AND (subject_id, camera_id, started_at) <= (told.subject_id, told.camera_id, told.ended_at + told.gap)
    ORDER BY subject_id DESC, camera_id DESC, started_at DESC LIMIT 1
)
OR told.appearance_count <> (
    SELECT count(*) FROM appearances
    WHERE camera_id = told.camera_id AND subject_id = told.subject_id
          AND appearances.started_at BETWEEN told.started_at AND told.ended_at + told.gap
          AND first_revision <= told.revision
)
OR EXISTS (
    SELECT FROM session_checks
    WHERE withdrawn AND session_checks.camera_id = told.camera_id AND session_checks.subject_id = told.subject_id
          AND session_checks.started_at <= told.ended_at + told.gap
          AND session_checks.ended_at >= told.started_at - told.gap
)
"""

_CHECKS_DUE = """
DELETE FROM session_checks USING unnest($1::text[], $2::bigint[]) AS reached (camera_id, revision)
WHERE session_checks.camera_id = reached.camera_id AND session_checks.revision <= reached.revision
RETURNING session_checks.camera_id, subject_id, started_at, ended_at
"""

_SPANS = """
unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY
    AS span (span_camera_id, span_subject_id, first, last, number)
"""

_TOUCHING = f"""
SELECT {_COLUMNS}, number
FROM {_SPANS} JOIN sessions
     ON subject_id = span_subject_id AND camera_id = span_camera_id AND started_at <= last AND ended_at >= first
WHERE status = 'active'
"""  # noqa: S608 - our own names

_APPEARANCES_IN = f"""
SELECT number, {MERGED_COLUMNS}
FROM {_SPANS} JOIN appearances
     ON camera_id = span_camera_id AND subject_id = span_subject_id AND started_at BETWEEN first AND last
"""  # noqa: S608 - our own names

_LOCK_SESSIONS = """
SELECT FROM sink_offsets WHERE topic = $1 AND partition = ANY($2::int[]) ORDER BY partition FOR UPDATE
"""


async def store_sessions(connection: asyncpg.Connection, told: Iterable[Session], gap_of: GapOf) -> int:
    """Store the records and leave in the outbox what had to be put right, and how many that is; see `repair.settle`."""
    return await _tell(connection, await repair.settle(_StoredFacts(connection, gap_of), told, gap_of))


async def look_again(connection: asyncpg.Connection, heard: Heard, partitions: Collection[int], gap_of: GapOf) -> int:
    """Put right what is stored about what was heard, which lies in these partitions, and leave it in the outbox."""
    # Another sink may be writing their session records, and would judge them by what is no more.
    await connection.execute(_LOCK_SESSIONS, Topic.SESSIONS, sorted(partitions))
    spans = heard.spans + await _unheard(connection, heard.changes)
    return await _tell(connection, await repair.look_again(_StoredFacts(connection, gap_of), spans, gap_of))


async def _unheard(connection: asyncpg.Connection, changes: Sequence[Change]) -> list[Span]:
    if not changes:
        return []
    spans = map(astuple, chain.from_iterable(changes))
    found = await connection.fetch(_SPANS_IN_DOUBT, *zip(*spans, strict=True))
    return unheard(changes, [Span(*row) for row in found])


async def _tell(connection: asyncpg.Connection, repaired: Sequence[Session]) -> int:
    if repaired:
        await connection.copy_records_to_table(
            "session_outbox", columns=("session",), records=((each,) for each in repaired)
        )
    return len(repaired)


class _StoredFacts:
    """`Facts` in the tables, as the transaction sees them."""

    def __init__(self, connection: asyncpg.Connection, gap_of: GapOf) -> None:
        self._connection = connection
        self._gap_of = gap_of

    async def sessions_by_id(self, session_ids: Collection[str]) -> list[Session]:
        if not session_ids:
            return []
        return [_session(row) for row in await self._connection.fetch(_SESSIONS_BY_ID, list(session_ids))]

    async def sessions_touching(self, spans: Sequence[Span]) -> list[list[Session]]:
        found: list[list[Session]] = [[] for _ in spans]
        gaps = [self._gap_of(span.camera_id) for span in spans]
        rows = await self._connection.fetch(
            _TOUCHING,
            [span.camera_id for span in spans],
            [span.subject_id for span in spans],
            [span.started_at - gap for span, gap in zip(spans, gaps, strict=True)],
            [span.ended_at + gap for span, gap in zip(spans, gaps, strict=True)],
        )
        for row in rows:
            found[row["number"] - 1].append(_session(row))
        return found

    async def appearances_in(self, spans: Sequence[Span]) -> list[list[MergedAppearance]]:
        found: list[list[MergedAppearance]] = [[] for _ in spans]
        rows = await self._connection.fetch(
            _APPEARANCES_IN,
            [span.camera_id for span in spans],
            [span.subject_id for span in spans],
            [span.started_at for span in spans],
            [span.ended_at + self._gap_of(span.camera_id) for span in spans],
        )
        for row in rows:
            found[row["number"] - 1].append(merged_of(row))
        return found

    async def doubted(self, session_ids: Collection[str]) -> set[str]:
        if not session_ids:
            return set()
        return {row["session_id"] for row in await self._connection.fetch(_DOUBTED, list(session_ids))}

    async def contradicted(self, records: Sequence[Session]) -> list[Session]:
        if not records:
            return []
        found = await self._connection.fetch(
            _CONTRADICTED,
            [each.session_id for each in records],
            [each.camera_id for each in records],
            [each.subject_id for each in records],
            [each.started_at for each in records],
            [each.ended_at for each in records],
            [each.appearance_count for each in records],
            [each.revision for each in records],
            [self._gap_of(each.camera_id) for each in records],
        )
        return [records[row["number"] - 1] for row in found]

    async def checks_due(self, reached: Mapping[str, int]) -> list[Span]:
        return [Span(*row) for row in await self._connection.fetch(_CHECKS_DUE, list(reached), list(reached.values()))]

    async def add(self, sessions: Sequence[Session]) -> None:
        if not sessions:
            return
        rows = map(attrgetter(*TABLE.columns), sessions)
        try:
            await self._connection.copy_records_to_table(TABLE.name, columns=TABLE.columns, records=rows)
        except OverflowError as error:
            # A number too great for its column, which the driver finds before the database does.
            raise asyncpg.DataError(str(error)) from error

    async def put(self, sessions: Sequence[Session]) -> None:
        await TABLE.put(self._connection, sessions)

    async def doubt(self, session_ids: Collection[str]) -> None:
        if session_ids:
            await self._connection.execute(_DOUBT, list(session_ids))


def _session(row: asyncpg.Record) -> Session:
    """Of a row that begins with the columns of a session."""
    return Session(**dict(zip(_NAMES, row, strict=False)))
