"""The writer and the migrations on a real PostgreSQL."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.common import Envelope
from services.common.events.sessions import OccupancyMinute, Session
from services.common.kafka.envelopes import decode_bare
from services.common.topics import Topic
from services.sink.appearances import MANY, Appearances
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import FencedError, Writer

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

SESSION = Session(
    session_id="s",
    camera_id="c1",
    subject_id="p",
    started_at=NOON,
    ended_at=NOON + timedelta(seconds=30),
    dwell_seconds=30.0,
    visible_seconds=30.0,
    appearance_count=1,
    age_group="other",
    gender="other",
    status="active",
    revision=5,
)

MINUTE = OccupancyMinute(camera_id="c1", minute=NOON, occupancy_avg=1, occupancy_peak=1, entries=1, exits=0, revision=5)

APPEARANCE = Appearance(
    appearance_key="a",
    appearance_id="a",
    camera_id="c1",
    subject_id="track:a",
    started_at=NOON,
    ended_at=NOON + timedelta(seconds=5),
    reported_at=NOON,
    source="corsight:webhook",
    camera_description="Till 1",
)


def envelope(items: Sequence[Any]) -> bytes:
    return msgspec.json.encode(Envelope(camera_id="c1", source="test", items=list(items)))


@pytest.fixture
def writer(pool: asyncpg.Pool) -> Writer:
    return Writer(pool, lambda _: timedelta(seconds=60))


def batch(topic: Topic, items: Sequence[Any], offset: int = 0) -> Batch:
    """The items as one record at the offset of partition 0."""
    placed = [Placed(item, topic, 0, offset, position) for position, item in enumerate(items)]
    return Batch({(topic, 0): offset + 1}, {topic: placed})


async def write(writer: Writer, *batches: Batch) -> int:
    """Write one after the other, each from where the one before ended; returns how much was quarantined."""
    quarantined = 0
    for each in batches:
        expected: dict[Partition, int] = await writer.offsets(each.following)
        quarantined += len((await writer.write(each, expected)).quarantined)
    return quarantined


class TestOffsets:
    async def test_a_partition_is_read_from_its_beginning_at_first(self, writer: Writer) -> None:
        assert await writer.offsets([(Topic.SESSIONS, 0)]) == {(Topic.SESSIONS, 0): 0}

    async def test_reading_goes_on_after_what_was_written(self, writer: Writer) -> None:
        await write(writer, batch(Topic.SESSIONS, [SESSION], offset=41))
        assert await writer.offsets([(Topic.SESSIONS, 0)]) == {(Topic.SESSIONS, 0): 42}

    async def test_a_write_under_way_keeps_nobody_from_asking_how_far_it_is_stored(
        self, writer: Writer, pool: asyncpg.Pool
    ) -> None:
        place = (Topic.SESSIONS, 0)
        await write(writer, batch(Topic.SESSIONS, [SESSION], offset=41))
        async with pool.acquire() as other, other.transaction():
            await other.execute("UPDATE sink_offsets SET next_offset = 99")
            async with asyncio.timeout(30):
                assert await writer.stored_offsets([place, (Topic.SESSIONS, 1)]) == {place: 42}

    async def test_a_batch_that_another_sink_wrote_meanwhile_is_not_written(
        self, writer: Writer, pool: asyncpg.Pool
    ) -> None:
        expected = await writer.offsets([(Topic.OCCUPANCY, 0)])
        await writer.write(batch(Topic.OCCUPANCY, [MINUTE]), expected)
        zombie = batch(Topic.OCCUPANCY, [replace(MINUTE, revision=6), replace(MINUTE, camera_id="c2")])
        with pytest.raises(FencedError):
            await writer.write(zombie, expected)
        assert await pool.fetch("SELECT camera_id, revision FROM occupancy_minutes") == [("c1", 5)]


class TestRevisions:
    @pytest.mark.parametrize(
        ("revisions", "kept"), [([5, 6], 6), ([6, 5], 6), ([5, 5], 5)], ids=["newer", "older", "again"]
    )
    async def test_only_a_greater_revision_replaces_a_record(
        self, writer: Writer, pool: asyncpg.Pool, revisions: list[int], kept: int
    ) -> None:
        told = [replace(MINUTE, revision=revision, entries=revision) for revision in revisions]
        await write(writer, *(batch(Topic.OCCUPANCY, [each], offset) for offset, each in enumerate(told)))
        assert await pool.fetch("SELECT revision, entries FROM occupancy_minutes") == [(kept, kept)]

    async def test_a_batch_may_hold_many_revisions_of_a_record(self, writer: Writer, pool: asyncpg.Pool) -> None:
        told = [MINUTE, replace(MINUTE, revision=7, exits=7), replace(MINUTE, revision=6, exits=6)]
        await write(writer, batch(Topic.OCCUPANCY, told))
        assert await pool.fetch("SELECT exits, revision FROM occupancy_minutes") == [(7, 7)]


class TestAppearances:
    async def test_reports_of_one_appearance_become_one_row(self, writer: Writer, pool: asyncpg.Pool) -> None:
        named = replace(
            APPEARANCE, person_id="p", subject_id="p", source="upload:1#2", extra={"row": 2}, camera_description="Old"
        )
        named = replace(named, reported_at=NOON - timedelta(days=1), started_at=NOON - timedelta(seconds=2))
        later = replace(APPEARANCE, ended_at=NOON + timedelta(seconds=60), reported_at=NOON + timedelta(seconds=60))
        await write(writer, batch(Topic.APPEARANCES, [APPEARANCE, later]), batch(Topic.APPEARANCES, [named], 1))
        [row] = await pool.fetch("SELECT * FROM appearances")
        assert (row["subject_id"], row["person_id"]) == ("p", "p")
        assert (row["started_at"], row["ended_at"]) == (named.started_at, later.ended_at)
        assert (row["source"], row["extra"]) == ("corsight:webhook", {})

    async def test_the_vendors_fields_are_stored_as_they_came(self, writer: Writer, pool: asyncpg.Pool) -> None:
        value = envelope([replace(APPEARANCE, extra={"huge": "here", "note": "é"})]).replace(b'"here"', b"1e400")
        told = decode_bare(value).items
        for offset in range(2):
            await write(writer, batch(Topic.APPEARANCES, told, offset))
        assert await pool.fetchval("SELECT (extra ->> 'huge')::numeric = 1e400 FROM appearances")
        assert await pool.fetchval("SELECT extra ->> 'note' FROM appearances") == "é"

    async def test_what_is_told_again_is_not_written_again(self, writer: Writer, pool: asyncpg.Pool) -> None:
        told = decode_bare(envelope([replace(APPEARANCE, extra={"b": 1.50, "aa": [True, None]})])).items
        await write(writer, batch(Topic.APPEARANCES, told))
        before = await pool.fetchval("SELECT ctid FROM appearances")
        await write(writer, batch(Topic.APPEARANCES, told, 1))
        assert await pool.fetchval("SELECT ctid FROM appearances") == before

    async def test_a_large_batch_after_one_of_nothing_but_new_ones_is_merged_with_what_is_stored(
        self, writer: Writer, pool: asyncpg.Pool
    ) -> None:
        at_first = [replace(APPEARANCE, appearance_key=f"{number}") for number in range(MANY)]
        longer = replace(at_first[7], ended_at=NOON + timedelta(seconds=60), reported_at=NOON + timedelta(seconds=60))
        then = [replace(APPEARANCE, appearance_key=f"{number}") for number in range(MANY, 2 * MANY)]
        twice = [*then, longer, replace(longer, appearance_key=then[3].appearance_key)]
        assert await write(writer, batch(Topic.APPEARANCES, at_first), batch(Topic.APPEARANCES, twice, 1)) == 0
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 2 * MANY
        assert await pool.fetchval(
            "SELECT array_agg(appearance_key ORDER BY 1) FROM appearances WHERE ended_at = $1", longer.ended_at
        ) == sorted([longer.appearance_key, then[3].appearance_key])

    async def test_a_large_batch_that_tells_again_what_is_stored_and_takes_it_back_leaves_nothing(
        self, writer: Writer, pool: asyncpg.Pool
    ) -> None:
        told = [replace(APPEARANCE, appearance_key=f"{number}") for number in range(MANY)]
        gone = [replace(each, withdrawn=True) for each in told]
        await write(writer, batch(Topic.APPEARANCES, told), batch(Topic.APPEARANCES, [*told, *gone], 1))
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 0

    async def test_a_large_batch_is_put_without_a_look_where_none_was_known_before(self, pool: asyncpg.Pool) -> None:
        appearances = Appearances()
        asked: list[list[str]] = []
        async with pool.acquire() as connection:
            for batch_number in range(3):
                asked.append([])
                with connection.query_logger(lambda done: asked[-1].append(done.query)):
                    told = [replace(APPEARANCE, appearance_key=f"{batch_number}/{each}") for each in range(MANY)]
                    await appearances.store(connection, [(each, batch_number) for each in told])
        assert [any("SELECT" in query for query in queries) for queries in asked] == [True, False, False]

    async def test_they_describe_their_camera(self, writer: Writer, pool: asyncpg.Pool) -> None:
        await write(writer, batch(Topic.APPEARANCES, [APPEARANCE]))
        [camera] = await pool.fetch("SELECT * FROM cameras")
        assert (camera["description"], camera["camera_category"]) == ("Till 1", "cashier")
        assert camera["last_seen_at"] == APPEARANCE.ended_at


class TestRefusals:
    @pytest.mark.parametrize(
        "bad",
        [
            replace(APPEARANCE, appearance_key="bad", gender="a\0b"),
            replace(APPEARANCE, appearance_key="ba\0d"),
            replace(APPEARANCE, appearance_key="bad", camera_id="c\0"),
            replace(APPEARANCE, appearance_key="bad", extra={"note": "\0"}),
            replace(APPEARANCE, appearance_key="bad", ended_at=NOON - timedelta(days=1)),
            replace(APPEARANCE, appearance_key="bad", camera_description="\0", reported_at=APPEARANCE.ended_at),
            replace(APPEARANCE, appearance_key="/".join(str(number * 7919) for number in range(3000))),
        ],
        ids=["text", "key", "camera", "extra", "negative", "description", "too long for the index"],
    )
    async def test_what_the_database_cannot_hold_goes_to_quarantine_and_its_neighbours_are_stored(
        self, writer: Writer, pool: asyncpg.Pool, bad: Appearance
    ) -> None:
        good = [replace(APPEARANCE, appearance_key=f"good-{number}") for number in range(4)]
        assert await write(writer, batch(Topic.APPEARANCES, [*good[:2], bad, *good[2:]], offset=9)) == 1
        assert await pool.fetchval("SELECT array_agg(appearance_key ORDER BY 1) FROM appearances") == [
            each.appearance_key for each in good
        ]
        assert await pool.fetch("SELECT source, reason_code FROM quarantine") == [
            ("kafka:appearances.v1/0/9#2", "schema_violation")
        ]
        assert await pool.fetchval("SELECT description FROM cameras WHERE camera_id = 'c1'") == "Till 1"

    async def test_a_number_too_great_for_its_column_is_refused(self, writer: Writer, pool: asyncpg.Pool) -> None:
        bad = replace(SESSION, session_id="bad", appearance_count=2**40)
        await write(writer, batch(Topic.SESSIONS, [SESSION, bad]))
        assert await pool.fetchval("SELECT array_agg(session_id) FROM sessions") == ["s"]
        assert await pool.fetchval("SELECT count(*) FROM quarantine") == 1

    async def test_trouble_of_the_server_refuses_nothing(self, writer: Writer, pool: asyncpg.Pool) -> None:
        await pool.execute("DROP TABLE cameras")
        with pytest.raises(asyncpg.UndefinedTableError):
            await write(writer, batch(Topic.APPEARANCES, [APPEARANCE]))
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 0
        assert await pool.fetchval("SELECT count(*) FROM quarantine") == 0


class TestMigrations:
    def migrate(self, database: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "services.sink", "migrate"]
        return subprocess.run(command, env={"DWELL_POSTGRES": database}, capture_output=True, text=True, check=False)

    async def test_migrating_again_changes_nothing(self, database: str) -> None:
        done = self.migrate(database)
        assert done.returncode == 0
        assert "migration applied" not in done.stdout

    async def test_a_changed_migration_is_told_and_fails(self, database: str, pool: asyncpg.Pool) -> None:
        await pool.execute("UPDATE schema_migrations SET checksum = 'other' WHERE name = '0001_facts.sql'")
        done = self.migrate(database)
        assert done.returncode == 1
        assert "0001_facts.sql was changed after it was applied" in done.stdout
