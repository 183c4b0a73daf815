"""The handler of the processor: what it tells of a batch, in which order things happen, and where its log begins.

Times are seconds after `T0`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.sessions import revision_after
from services.common.kafka.producer import PublishError
from services.common.topics import Topic
from services.processor.agents import REPORTED_AHEAD, AppearancesHandler
from services.processor.settings import ProcessorSettings
from tests.support.handlers import PARTITION, CrashError, Producer, Records, Table
from tests.support.sessionizer import at, seen, told


class Feed:
    """The handler over a table and a producer that outlive it, as they do in a process that is started again."""

    def __init__(self) -> None:
        self.table: Any = Table()
        self.producer: Any = Producer()
        self._records = Records()
        self.start()

    def start(self) -> None:
        self._handler = AppearancesHandler(ProcessorSettings(), self.table, self.producer)

    def record(self, *reports: Appearance, written: float = 10_000) -> Any:
        return self._records.next(Topic.APPEARANCES, reports, at(written).timestamp())

    async def handle(self, *events: Any) -> list[Any]:
        await self._handler.handle(PARTITION, events)
        sessions: list[Any] = self.producer.told(Topic.SESSIONS)
        return sessions


async def test_a_session_that_several_waiting_records_change_is_told_once_as_the_last_leaves_it() -> None:
    feed = Feed()
    [session] = await feed.handle(*(feed.record(seen("a", 0, end, "ann")) for end in (5, 10, 15)))
    assert told([session]) == [("active", "ann", 0, 15)]
    assert session.revision == revision_after(2)


async def test_a_session_that_came_and_went_among_waiting_records_is_told_to_be_gone() -> None:
    feed = Feed()
    sessions = await feed.handle(feed.record(seen("a", 0, 5)), feed.record(seen("a", 0, 5, "ann")))
    assert told(sessions) == [("absorbed", "track:a", 0, 5), ("active", "ann", 0, 5)]


async def test_what_cannot_be_believed_goes_to_quarantine_and_its_neighbours_are_taken() -> None:
    feed = Feed()
    bad = replace(seen("b", 0, 10, "bob"), ended_at=at(-1))
    assert told(await feed.handle(feed.record(seen("a", 0, 10, "ann"), bad))) == [("active", "ann", 0, 10)]
    [refused] = feed.producer.told(Topic.QUARANTINE)
    assert (refused.reason_code, refused.source) == ("negative_dwell", f"kafka:appearances.v1/{PARTITION}/0#1")


async def test_no_state_is_written_before_kafka_has_what_is_told() -> None:
    feed = Feed()

    async def refuse(*_: object) -> None:
        raise PublishError("Kafka is away")

    feed.producer.publish = refuse
    with pytest.raises(PublishError):
        await feed.handle(feed.record(seen("a", 0, 10, "ann")))
    assert feed.table.values == {}


@pytest.mark.parametrize("room", range(3))
async def test_a_crash_among_the_writes_has_the_same_told_again_or_nothing(room: int) -> None:
    feed = Feed()
    records = [feed.record(seen("a", 0, 10, "ann"))]
    feed.table.room = room
    with pytest.raises(CrashError):
        await feed.handle(*records, *(feed.record(seen(str(n), 0, 1)) for n in range(3)))
    before = feed.producer.told(Topic.SESSIONS)
    feed.table.room = None
    feed.start()
    again = await feed.handle(*records)
    assert again in ([], [each for each in before if each.subject_id == "ann"])


class TestLogThatBeginsLate:
    """The state is built anew of a log that has lost its beginning; its first record was written at 1000."""

    HORIZON = 1_000 + REPORTED_AHEAD.total_seconds()

    async def partials(self, feed: Feed, starts: Sequence[float]) -> list[bool]:
        sessions = await feed.handle(
            *(feed.record(seen(f"k{start}", start, start + 1), written=1_000) for start in starts)
        )
        return [session.partial for session in sessions]

    async def test_what_may_have_begun_before_it_is_partial(self) -> None:
        feed = Feed()
        feed.table.began_late = {PARTITION}
        gap = timedelta(seconds=60).total_seconds()
        starts = [0, self.HORIZON, self.HORIZON + gap, self.HORIZON + gap + 1]
        assert await self.partials(feed, starts) == [True, True, True, False]

    async def test_that_holds_for_a_process_that_starts_later(self) -> None:
        feed = Feed()
        feed.table.began_late = {PARTITION}
        assert await self.partials(feed, [0]) == [True]
        feed.start()
        assert feed.table.began_late == set()
        assert await self.partials(feed, [100, self.HORIZON + 500]) == [True, False]

    async def test_a_log_with_its_beginning_leaves_nothing_in_doubt(self) -> None:
        assert await self.partials(Feed(), [0, self.HORIZON]) == [False, False]
