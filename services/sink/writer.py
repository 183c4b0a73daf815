"""Rows and Kafka offsets in one PostgreSQL transaction, by whoever still owns the partitions."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import asyncpg

from services.common.events.quarantine import Quarantined
from services.common.failpoints import failpoint
from services.common.topics import Topic
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.domain.rows import AppearanceRow, CameraRow, newest
from services.sink.merging import store_appearances, store_cameras
from services.sink.tables import QUARANTINE, TABLES

REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What PostgreSQL says of data that it will never take; anything else is the server's trouble and is tried again."""

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

Store = Callable[[asyncpg.Connection, list[Placed]], Awaitable[None]]


class FencedError(Exception):
    """Somebody else has written this part of the log; nothing of the batch was stored."""


class Writer:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Where to go on reading each partition; 0 for one that was never read."""
        topics, numbers = _columns(partitions)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_FIRST_OFFSETS, topics, numbers)
            rows = await connection.fetch(_LOAD_OFFSETS, topics, numbers)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> int:
        """Store the batch and move its partitions on from `expected`; returns how many entries were quarantined.

        Raises `FencedError` when a partition is not where `expected` says.
        """
        failpoint("sink.before_begin")
        async with self._pool.acquire() as connection, connection.transaction():
            await self._advance(connection, batch.following, expected)
            quarantined = list(batch.unreadable)
            for topic, items in batch.items.items():
                quarantined += await _store_acceptable(connection, items, _STORES[topic])
            await connection.executemany(QUARANTINE.upsert, [QUARANTINE.values(each) for each in quarantined])
            failpoint("sink.before_commit")
        return len(quarantined)

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


def _columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    pairs = list(partitions)
    return [topic for topic, _ in pairs], [number for _, number in pairs]


async def _store_acceptable(connection: asyncpg.Connection, items: list[Placed], store: Store) -> list[Quarantined]:
    """Store the items but for those that the database refuses, found by halving; returns the entries for these."""
    if not items:
        return []
    try:
        async with connection.transaction():
            await store(connection, items)
    except REFUSALS as error:
        if len(items) == 1:
            return [items[0].refused(_reason(error))]
        middle = len(items) // 2
        first = await _store_acceptable(connection, items[:middle], store)
        return first + await _store_acceptable(connection, items[middle:], store)
    return []


def _reason(error: Exception) -> str:
    return f"PostgreSQL refuses it: {error}".replace("\0", "")


def _storing(topic: Topic) -> Store:
    table = TABLES[topic]

    async def store(connection: asyncpg.Connection, items: Sequence[Placed]) -> None:
        found = newest((each.item for each in items), table.key_of, table.revision_of)
        await connection.executemany(table.upsert, [table.values(item) for item in found])

    return store


async def _store_appearances(connection: asyncpg.Connection, items: Sequence[Placed]) -> None:
    await store_appearances(connection, (AppearanceRow.of(each.item) for each in items))
    await store_cameras(connection, (CameraRow.of(each.item) for each in items))


async def _store_insights(connection: asyncpg.Connection, items: Sequence[Placed]) -> None:
    await _storing(Topic.INSIGHTS_MERGED)(connection, list(items))
    await store_cameras(connection, (CameraRow.of(each.item) for each in items))


async def _store_cameras(connection: asyncpg.Connection, items: Sequence[Placed]) -> None:
    await store_cameras(connection, (CameraRow.of(each.item) for each in items))


_STORES: dict[Topic, Store] = {
    **{topic: _storing(topic) for topic in TABLES},
    Topic.APPEARANCES: _store_appearances,
    Topic.INSIGHTS_MERGED: _store_insights,
    Topic.CAMERAS: _store_cameras,
}
