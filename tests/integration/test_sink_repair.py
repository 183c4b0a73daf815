"""Session records of processors that forgot, put right from the stored appearances, on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.sessions import Session, appearances_before
from services.common.topics import Topic
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import Writer
from tests import oracle
from tests.support import stored
from tests.support.forgetful import ForgetfulProcessor

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CAMERA = "c1"
GAP = timedelta(seconds=60)


class Sink:
    """The writer, fed with one partition of appearances and one of sessions."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._writer = Writer(pool, lambda _: GAP)
        self._reports: list[Appearance] = []
        self._ends = {Topic.APPEARANCES: 0, Topic.SESSIONS: 0}

    async def hears(self, *records: Sequence[Appearance]) -> int:
        """Takes in records of reports; returns the offset of the last."""
        first = self._ends[Topic.APPEARANCES]
        self._reports += [report for record in records for report in record]
        await self._write(Topic.APPEARANCES, [(first + number, list(each)) for number, each in enumerate(records)])
        return self._ends[Topic.APPEARANCES] - 1

    async def is_told(self, sessions: Sequence[Session]) -> int:
        """Takes in session records; returns how many it had to put right."""
        return await self._write(Topic.SESSIONS, [(self._ends[Topic.SESSIONS], list(sessions))])

    async def _write(self, topic: Topic, records: Sequence[tuple[int, list[Any]]]) -> int:
        if not records:
            return 0
        placed = [Placed(item, topic, 0, offset, n) for offset, items in records for n, item in enumerate(items)]
        expected: dict[Partition, int] = {(topic, 0): self._ends[topic]}
        await self._writer.offsets(expected)
        self._ends[topic] = records[-1][0] + 1
        written = await self._writer.write(Batch({(topic, 0): self._ends[topic]}, {topic: placed}), expected)
        assert written.quarantined == []
        return written.repaired

    async def starts_anew(self) -> None:
        """Reads what it has read again, into the tables as they are."""
        await self._pool.execute("TRUNCATE sink_offsets")
        self._reports.clear()
        self._ends = dict.fromkeys(self._ends, 0)

    async def outbox(self) -> list[Session]:
        rows = await self._pool.fetch("SELECT session FROM session_outbox ORDER BY outbox_id")
        return [msgspec.convert(row["session"], Session) for row in rows]

    async def sessions(self) -> stored.Rows:
        return await stored.sessions(self._pool, [CAMERA])

    def right(self) -> stored.Rows:
        accepted = [msgspec.to_builtins(report) for report in self._reports]
        found = oracle.sessions(oracle.appearances(oracle.reports(accepted)), GAP.total_seconds())
        return stored.expected(found, stored.SESSION)


@pytest.fixture
def sink(pool: asyncpg.Pool) -> Sink:
    return Sink(pool)


def seen(key: str, start: float, end: float, person: str | None = "ann", **fields: Any) -> Appearance:
    return Appearance(
        appearance_key=key,
        appearance_id=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, None, key),
        person_id=person,
        started_at=NOON + timedelta(seconds=start),
        ended_at=NOON + timedelta(seconds=end),
        reported_at=NOON + timedelta(seconds=end),
        source="test",
        **fields,
    )


def knowing_nothing(reports: Sequence[Appearance], offset: int) -> list[Session]:
    """What a processor without any state tells of a record."""
    return ForgetfulProcessor(CAMERA, GAP).step(reports, offset)


class TestRepair:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([seen("a", 0, 10)], [seen("b", 70, 80)]),
            ([seen("b", 70, 80)], [seen("a", 0, 10)]),
            ([seen("a", 0, 10), seen("c", 100, 110)], [seen("b", 50, 60)]),
            ([seen("a", 0, 10), seen("b", 20, 30)], [seen("a", 0, 5)]),
            ([seen("a", 0, 10), seen("b", 20, 30)], [seen("a", 0, 10), seen("c", 40, 50)]),
            ([seen("a", 0, 10, person=None)], [seen("a", 0, 10)]),
            ([seen("a", 0, 10)], [seen("a", 0, 10, person=None)]),
            ([seen("a", 0, 10)], [seen("a", 500, 510)]),
            ([seen("a", 0, 10, gender="male")], [replace(seen("a", 0, 10, gender="female"), reported_at=NOON)]),
        ],
        ids=[
            "later and touching",
            "earlier and touching",
            "bridging",
            "shrunk",
            "other appearances, equally many",
            "an orphan after a move",
            "an older name that it forgot",
            "a leap of one appearance",
            "older demographics",
        ],
    )
    async def test_a_record_without_what_was_before_becomes_the_whole_session(
        self, sink: Sink, before: list[Appearance], after: list[Appearance]
    ) -> None:
        await sink.is_told(knowing_nothing(before, await sink.hears(before)))
        assert await sink.sessions() == sink.right()
        assert await sink.outbox() == []
        repaired = await sink.is_told(knowing_nothing(after, await sink.hears(after)))
        assert await sink.sessions() == sink.right()
        assert len(await sink.outbox()) == repaired > 0
        assert all(each.revision % 2 for each in await sink.outbox())

    async def test_what_was_put_right_is_no_news_to_itself(self, sink: Sink) -> None:
        for record in ([seen("a", 0, 10)], [seen("b", 70, 80)]):
            await sink.is_told(knowing_nothing(record, await sink.hears(record)))
        assert await sink.is_told(await sink.outbox()) == 0
        assert await sink.sessions() == sink.right()

    async def test_a_partial_record_is_told_whole_even_where_nothing_was_missing(self, sink: Sink) -> None:
        record = [seen("a", 0, 10)]
        [told] = knowing_nothing(record, await sink.hears(record))
        assert await sink.is_told([replace(told, partial=True)]) == 1
        assert await sink.outbox() == [replace(told, revision=told.revision + 1)]
        assert await sink.sessions() == sink.right()

    async def test_a_session_that_belongs_to_another_says_to_which(self, sink: Sink, pool: asyncpg.Pool) -> None:
        for record in ([seen("b", 70, 80)], [seen("a", 0, 10)]):
            await sink.is_told(knowing_nothing(record, await sink.hears(record)))
        [session] = await sink.sessions()
        absorbed = await pool.fetchval("SELECT absorbed_into FROM sessions WHERE status = 'absorbed'")
        assert absorbed == session[0]

    async def test_what_the_processor_tells_after_a_repair_is_taken_and_looked_at(self, sink: Sink) -> None:
        for record in ([seen("a", 0, 10)], [seen("b", 20, 30)], [seen("c", 40, 50)]):
            await sink.is_told(knowing_nothing(record, await sink.hears(record)))
            assert await sink.sessions() == sink.right()
        whole = [seen("a", 0, 10), seen("b", 20, 30), seen("c", 40, 50), seen("d", 60, 70)]
        assert await sink.is_told(knowing_nothing(whole, await sink.hears([whole[-1]]))) == 0
        assert await sink.sessions() == sink.right()

    async def test_a_processor_that_knows_all_is_never_put_right(self, sink: Sink) -> None:
        processor = ForgetfulProcessor(CAMERA, GAP)
        random = Random(7)
        for offset in range(60):
            # Reports of one sighting as it goes on; now and then a bridge between two sessions.
            start = random.randrange(40) * 30
            record = [seen(f"{start}", start, start + 5 + offset, person=random.choice(["ann", "bob"]))]
            record = [replace(each, appearance_key=f"{each.person_id}-{each.appearance_key}") for each in record]
            told = processor.step(record, await sink.hears(record))
            assert await sink.is_told(told) == 0
        assert await sink.sessions() == sink.right()

    @pytest.mark.parametrize("seed", range(12))
    async def test_whatever_a_processor_forgets_the_sessions_are_the_oracles(self, sink: Sink, seed: int) -> None:
        random = Random(seed)
        processor = ForgetfulProcessor(CAMERA, GAP)
        records = [[random_report(random) for _ in range(random.randint(1, 3))] for _ in range(25)]
        told: list[Session] = []
        for offset, record in enumerate(records):
            if random.random() < 0.3:
                subjects = [each for each in processor.knows() if random.random() < 0.5]
                processor.forget(random.choice([subjects, None]), aware=random.random() < 0.5)
            told += processor.step(record, offset)
        heard, pending = 0, list(told)
        while pending:
            batch, pending = pending[: (cut := random.randint(1, 6))], pending[cut:]
            needed = max(appearances_before(each.revision) for each in batch)
            ahead = random.randint(max(heard, needed), len(records))
            await sink.hears(*records[heard:ahead])
            heard = ahead
            await sink.is_told(batch)
        await sink.hears(*records[heard:])
        assert await sink.sessions() == sink.right()
        # Where somebody may still believe an earlier record, he is told again; and that is the end of it.
        repaired = await sink.outbox()
        await sink.is_told(told + repaired)
        assert await sink.is_told((await sink.outbox())[len(repaired) :]) == 0
        assert await sink.sessions() == sink.right()


def random_report(random: Random) -> Appearance:
    key, start = f"k{random.randrange(10)}", random.randrange(20) * 30
    report = seen(key, start, start + random.choice([0, 1, 30, 90]), person=random.choice([None, "ann", "bob"]))
    gender, reported_at = random.choice(["other", "male"]), NOON + timedelta(seconds=random.randrange(4))
    return replace(report, gender=gender, reported_at=reported_at)
