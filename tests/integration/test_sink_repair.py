"""Session records of processors that forgot, put right from the stored appearances, on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import asyncpg
import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.sessions import Session, appearances_before
from tests.support.forgetful import ForgetfulProcessor
from tests.support.sink import CAMERA, GAP, NOON, Sink, random_report, seen


@pytest.fixture
def sink(pool: asyncpg.Pool) -> Sink:
    return Sink(pool)


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

    @pytest.mark.parametrize("away", [0, 1], ids=["at the gap", "farther off"])
    async def test_the_rest_of_a_session_that_the_same_batch_tells_of_is_found_again(
        self, sink: Sink, away: int
    ) -> None:
        whole, beginning = [seen("a", 0, 10), seen("b", 70 + away, 80)], [seen("a", 0, 10)]
        told = knowing_nothing(whole, await sink.hears(whole))
        repaired = await sink.is_told(told + knowing_nothing(beginning, await sink.hears(beginning)))
        assert await sink.sessions() == sink.right()
        assert bool(repaired) is (away == 0)

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

    @pytest.mark.parametrize("person", ["ann", None], ids=["of the same subject", "of nobody"])
    async def test_a_report_that_is_no_news_to_who_forgot_is_looked_at_at_once(
        self, sink: Sink, person: str | None
    ) -> None:
        forgotten = replace(seen("a", 0, 10, person="ann", gender="female"), reported_at=NOON + timedelta(seconds=5))
        early = replace(seen("a", 0, 10, person=person, gender="male"), reported_at=NOON)
        for record in ([forgotten], [early]):
            await sink.is_told(knowing_nothing(record, await sink.hears(record)))
        await sink.hears([replace(early, reported_at=NOON + timedelta(seconds=10))])
        assert await sink.sessions() == sink.right()

    async def test_a_session_that_was_in_doubt_and_right_is_put_right_when_something_hidden_comes_out(
        self, sink: Sink
    ) -> None:
        known = replace(seen("a", 0, 10, age_group="adult"), reported_at=NOON + timedelta(seconds=5))
        mistaken = replace(seen("a", 0, 10, age_group="teen"), reported_at=NOON)
        last = replace(seen("b", 20, 30, age_group="teen"), reported_at=NOON)
        for record in ([known], [mistaken, last]):
            await sink.is_told(knowing_nothing(record, await sink.hears(record)))
        assert await sink.outbox() == []
        await sink.hears([replace(last, age_group="other", reported_at=NOON + timedelta(seconds=10))])
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
