"""Rows and Kafka offsets in one PostgreSQL transaction, by whoever still owns the partitions."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain

import asyncpg
from msgspec import Struct

from services.common.events.quarantine import Quarantined
from services.common.events.sessions import revision_after
from services.common.failpoints import failpoint
from services.common.postgres import SERVER_AWAY
from services.common.topics import Topic
from services.sink.appearances import Appearances
from services.sink.cameras import store_cameras
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.domain.facts import GapOf
from services.sink.domain.rows import CameraRow, cameras_of, newest
from services.sink.forensic import store_forensic
from services.sink.insights import store_insights
from services.sink.repairing import look_again, store_sessions
from services.sink.tables import QUARANTINE, TABLES

REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What PostgreSQL says of data that it will never take; anything else is the server's trouble and is tried again."""

TROUBLE = (asyncpg.PostgresError, *SERVER_AWAY, TimeoutError)
"""What is raised while PostgreSQL is away, restarting, locked or not migrated yet."""

FIRST_PAUSE_SECONDS = 0.2
"""Before the first attempt after trouble; it doubles from one to the next."""

_LOAD_OFFSETS = """
SELECT topic, partition, next_offset
FROM sink_offsets JOIN unnest($1::text[], $2::int[]) AS wanted (topic, partition) USING (topic, partition)
"""

_FIRST_OFFSETS = """
INSERT INTO sink_offsets (topic, partition, next_offset)
SELECT topic, partition, 0 FROM unnest($1::text[], $2::int[]) AS wanted (topic, partition)
ON CONFLICT DO NOTHING
"""

_ADVANCE_OFFSETS = """
UPDATE sink_offsets AS stored SET next_offset = batch.following
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS batch (topic, partition, expected, following)
WHERE stored.topic = batch.topic AND stored.partition = batch.partition AND stored.next_offset = batch.expected
"""

Store = Callable[[asyncpg.Connection, list[Placed]], Awaitable[int]]
"""Returns how many records it had to put right."""

Storing = Callable[[asyncpg.Connection, list[Placed], Store], Awaitable["Written"]]


class FencedError(Exception):
    """Somebody else has written this part of the log; nothing of the batch was stored."""


class Written(Struct, frozen=True):
    """What of a batch was refused, and how many session records were repaired and are to be told."""

    quarantined: list[Quarantined]
    repaired: int

    def __add__(self, other: "Written") -> "Written":
        return Written(self.quarantined + other.quarantined, self.repaired + other.repaired)


class Writer:
    def __init__(self, pool: asyncpg.Pool, gap_of: GapOf) -> None:
        self._pool = pool
        self._stores: dict[Topic, Store] = {
            **{topic: _storing(topic) for topic in TABLES},
            Topic.APPEARANCES: _storing_appearances(gap_of),
            Topic.APPEARANCES_FORENSIC: _store_forensic,
            Topic.SESSIONS: _storing_sessions(gap_of),
            Topic.INSIGHTS_MERGED: _store_insights,
            Topic.CAMERAS: _store_cameras,
        }

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Where to go on reading each partition; 0 for one that was never read."""
        topics, numbers = _columns(partitions)
        async with self._pool.acquire() as connection, connection.transaction():
            # Waits for whoever writes them now.
            await connection.execute(_FIRST_OFFSETS, topics, numbers)
            return await _load_offsets(connection, partitions)

    async def stored_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """As of now, whatever is being written; without those that were never read."""
        return await _load_offsets(self._pool, partitions)

    async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> Written:
        """Store the batch and move its partitions on from `expected`.

        Raises `FencedError` when a partition is not where `expected` says.
        """
        try:
            return await self._write(batch, expected, _store)
        except REFUSALS:
            return await self._write(batch, expected, _store_acceptable)

    async def _write(self, batch: Batch, expected: Mapping[Partition, int], store: Storing) -> Written:
        failpoint("sink.before_begin")
        async with self._pool.acquire() as connection, connection.transaction():
            await self._advance(connection, batch.following, expected)
            written = Written(list(batch.unreadable), 0)
            # Session records are judged by the appearances of the same batch, too.
            for topic in sorted(batch.items, key=lambda topic: topic is not Topic.APPEARANCES):
                written += await store(connection, batch.items[topic], self._stores[topic])
            await QUARANTINE.put(connection, written.quarantined)
            failpoint("sink.before_commit")
        return written

    async def _advance(
        self, connection: asyncpg.Connection, following: Mapping[Partition, int], expected: Mapping[Partition, int]
    ) -> None:
        # First in the transaction: the locks on these rows keep any other owner of the partitions out until its end.
        partitions = sorted(following)
        topics, numbers = _columns(partitions)
        done = await connection.execute(
            _ADVANCE_OFFSETS,
            topics,
            numbers,
            [expected[partition] for partition in partitions],
            [following[partition] for partition in partitions],
        )
        if done != f"UPDATE {len(partitions)}":
            raise FencedError(f"{done} of {len(partitions)} partitions")


async def _load_offsets(
    connection: asyncpg.Connection | asyncpg.Pool, places: Iterable[Partition]
) -> dict[Partition, int]:
    rows = await connection.fetch(_LOAD_OFFSETS, *_columns(places))
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


def _columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    pairs = list(partitions)
    return [topic for topic, _ in pairs], [number for _, number in pairs]


async def _store(connection: asyncpg.Connection, items: list[Placed], store: Store) -> Written:
    """Store the items; raises one of `REFUSALS` where the database refuses any."""
    return Written([], await store(connection, items))


async def _store_acceptable(connection: asyncpg.Connection, items: list[Placed], store: Store) -> Written:
    """Store the items but for those that the database refuses, found by halving."""
    if not items:
        return Written([], 0)
    try:
        async with connection.transaction():
            return Written([], await store(connection, items))
    except REFUSALS as error:
        if len(items) == 1:
            return Written([items[0].refused(_reason(error))], 0)
        middle = len(items) // 2
        first = await _store_acceptable(connection, items[:middle], store)
        return first + await _store_acceptable(connection, items[middle:], store)


def _reason(error: Exception) -> str:
    return f"PostgreSQL refuses it: {error}".replace("\0", "")


def _storing(topic: Topic) -> Store:
    table = TABLES[topic]

    async def store(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
        found = newest((each.item for each in items), table.key_of, table.revision_of)
        await table.put(connection, found)
        return 0

    return store


def _storing_sessions(gap_of: GapOf) -> Store:
    async def store(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
        return await store_sessions(connection, (each.item for each in items), gap_of)

    return store


def _storing_appearances(gap_of: GapOf) -> Store:
    appearances = Appearances()

    async def store(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
        heard = await appearances.store(connection, [(each.item, revision_after(each.offset)) for each in items])
        await store_cameras(connection, cameras_of(each.item for each in items if not each.item.withdrawn))
        cameras = {span.camera_id for span in chain(heard.spans, *heard.changes)}
        if not cameras:
            return 0
        partitions = {each.partition for each in items if each.item.camera_id in cameras}
        return await look_again(connection, heard, partitions, gap_of)

    return store


async def _store_forensic(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
    await store_forensic(connection, [each.item for each in items])
    return 0


async def _store_insights(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
    await store_insights(connection, [each.item for each in items])
    return await _store_cameras(connection, items)


async def _store_cameras(connection: asyncpg.Connection, items: Sequence[Placed]) -> int:
    await store_cameras(connection, (CameraRow.of(each.item) for each in items))
    return 0
