"""What of the past is in Kafka, and what is to be read back."""

import asyncio
from datetime import datetime, timedelta

from msgspec import Raw

from services.common.events.appearances import Appearance
from services.ingest.corsight.gaps import LOOK_BACK, MAX_TRACKS, Gap, Progress, Unfinished
from services.ingest.corsight.refill import slices
from services.ingest.corsight.retries import Retries
from services.ingest.corsight.waiting import Came, Waiting
from services.ingest.intake import Taken
from tests.support.vendor_events import NOON

OVERLAP = timedelta(minutes=5)


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


def appearance(key: str, started_at: datetime, reported_at: datetime) -> Appearance:
    return Appearance(
        appearance_key=key,
        camera_id="c1",
        subject_id=f"track:{key}",
        started_at=started_at,
        ended_at=reported_at,
        reported_at=reported_at,
        source="corsight:sse",
    )


def told(*appearances: Appearance) -> Taken:
    return Taken(appearances=list(appearances))


class TestProgress:
    def test_before_the_first_event_nothing_is_known(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(Taken(signs_of_life=1), NOON)
        assert progress.complete_at is None

    def test_it_goes_by_the_times_of_the_events_and_not_by_when_they_came(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("a", seconds(-9), seconds(-5)), appearance("b", seconds(-9), seconds(-7))), NOON)
        assert progress.complete_at == seconds(-5)

    def test_a_clock_that_is_ahead_there_counts_as_the_one_here(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("a", seconds(0), seconds(60))), NOON)
        assert progress.complete_at == NOON

    def test_a_clock_that_jumps_back_is_followed(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("a", seconds(-9), seconds(0))), NOON)
        progress.add(told(appearance("b", seconds(-3609), seconds(-3600))), seconds(1))
        assert progress.complete_at == seconds(-3600)

    def test_somebody_who_has_been_there_for_long_holds_it_back(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("a", seconds(-1200), seconds(-30))), NOON)
        progress.add(told(appearance("b", seconds(-9), seconds(0))), NOON)
        assert progress.complete_at == seconds(-1200)

    def test_but_not_once_nothing_more_is_told_of_them(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("a", seconds(-1200), seconds(-90))), NOON)
        progress.add(told(appearance("b", seconds(-9), seconds(0))), NOON)
        assert progress.complete_at == seconds(0)

    def test_and_not_for_ever(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(appearance("poster", NOON - timedelta(hours=20), NOON)), NOON)
        assert progress.complete_at == NOON - LOOK_BACK

    def test_its_memory_is_bounded(self) -> None:
        progress = Progress(OVERLAP)
        progress.add(told(*(appearance(str(n), seconds(-900), NOON) for n in range(MAX_TRACKS + 5))), NOON)
        assert len(progress._tracks) == MAX_TRACKS


class TestUnfinished:
    def test_who_runs_is_waited_for_and_who_is_gone_is_looked_for(self) -> None:
        unfinished = Unfinished()
        unfinished.saw_running([appearance("a", seconds(0), seconds(9)), appearance("b", seconds(5), seconds(9))])
        unfinished.reading_ended()
        assert (unfinished.since, unfinished.gone_since) == (seconds(0), None)
        unfinished.saw_running([appearance("a", seconds(0), seconds(19))])
        unfinished.reading_ended()
        assert (unfinished.since, unfinished.gone_since) == (seconds(0), seconds(5))
        unfinished.saw_running([appearance("a", seconds(0), seconds(29))])
        unfinished.saw_finished([appearance("b", seconds(5), seconds(15))])
        unfinished.reading_ended()
        assert (unfinished.since, unfinished.gone_since) == (seconds(0), None)

    def test_who_never_finishes_is_given_up(self) -> None:
        unfinished = Unfinished()
        unfinished.saw_running([appearance("a", seconds(0), seconds(9))])
        for _ in range(Unfinished.MAX_LOOKS + 1):
            unfinished.reading_ended()
            assert unfinished.since == seconds(0)
        unfinished.reading_ended()
        assert unfinished.since is None


class TestGap:
    def test_it_is_looked_at_when_it_is_over_and_once_more_later(self) -> None:
        later = timedelta(seconds=30)
        gap = Gap(seconds(0))
        assert not gap.is_due(seconds(9), later)
        gap.until = seconds(10)
        assert gap.is_due(seconds(10), later)
        gap.looked_at = seconds(10)
        assert not gap.is_due(seconds(39), later)
        assert gap.is_due(seconds(40), later)


def test_a_long_span_is_read_hour_by_hour() -> None:
    spans = list(slices(NOON, NOON + timedelta(minutes=150)))
    assert spans == [
        (NOON, seconds(3600)),
        (seconds(3600), seconds(7200)),
        (seconds(7200), seconds(9000)),
    ]
    assert list(slices(NOON, NOON)) == [(NOON, NOON)]


def test_pauses_grow_up_to_a_bound_and_are_never_the_same_for_two() -> None:
    retries = [Retries(30) for _ in range(50)]
    pauses = [[each.next_seconds() for _ in range(10)] for each in retries]
    assert max(first for first, *_ in pauses) <= 1
    assert 15 < max(last for *_, last in pauses) <= 30
    assert len({last for *_, last in pauses}) == 50
    retries[0].reset()
    assert retries[0].next_seconds() <= 1


def raws(came: list[Came]) -> list[bytes]:
    return [bytes(each) for each in came if isinstance(each, Raw)]


class TestWaiting:
    async def test_whoever_adds_waits_until_kafka_has_enough(self) -> None:
        waiting = Waiting(max_bytes=10)
        await waiting.add([Raw(b"12345")])
        adding = asyncio.create_task(waiting.add([Raw(b"67890"), Raw(b"12345")]))
        assert raws(await waiting.take(1)) == [b"12345"]
        await asyncio.sleep(0)
        assert not adding.done()
        waiting.done()
        await asyncio.sleep(0)
        assert not adding.done()
        assert raws(await waiting.take(9)) == [b"67890", b"12345"]
        waiting.done()
        await adding

    async def test_whoever_takes_waits_for_the_first(self) -> None:
        waiting = Waiting(max_bytes=10)
        taking = asyncio.create_task(waiting.take(9))
        await asyncio.sleep(0)
        await waiting.add([Raw(b"1")])
        assert raws(await taking) == [b"1"]
