from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.kafka.quarantine import refuse
from services.ingest.intake import Taken
from services.ingest.status import LOST_INSIGHTS, MAX_ERRORS, MAX_MISSED, Fetched, Missed, SourceStatus
from tests.support.vendor_events import NOON

APPEARANCE = Appearance(
    appearance_key="a",
    camera_id="c1",
    subject_id="track:a",
    started_at=NOON - timedelta(seconds=30),
    ended_at=NOON - timedelta(seconds=12),
    reported_at=NOON - timedelta(seconds=2),
    source="corsight:sse",
)
INSIGHT = InsightEvent(
    insight_id="i", kind="crowd", camera_id="c1", started_at=NOON, reported_at=NOON, source="corsight:sse"
)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def refused(reason_code: str) -> Taken:
    return Taken(refused=[refuse("corsight:sse#1", reason_code, "why", b"{}")])


@pytest.fixture
def status() -> SourceStatus:
    return SourceStatus("corsight:sse")


class TestState:
    def test_the_kind_is_what_the_name_ends_in(self, status: SourceStatus) -> None:
        assert (status.name, status.kind, status.state) == ("corsight:sse", "sse", "starting")

    def test_the_next_attempt_is_told_only_while_one_is_waited_for(self, status: SourceStatus) -> None:
        status.retrying("Corsight does not answer", NOON)
        assert (status.state, status.detail, status.next_retry_at) == ("retrying", "Corsight does not answer", NOON)
        status.live(NOON)
        assert (status.state, status.next_retry_at, status.heard_at) == ("live", None, NOON)

    def test_the_same_error_again_is_told_once_and_of_many_the_newest(self, status: SourceStatus) -> None:
        status.retrying("away", NOON)
        status.retrying("away", NOON)
        assert [error.text for error in status.errors] == ["away"]
        for number in range(MAX_ERRORS + 5):
            status.failed(f"error {number}")
        assert [error.text for error in status.errors][:2] == [f"error {MAX_ERRORS + 4}", f"error {MAX_ERRORS + 3}"]
        assert len(status.errors) == MAX_ERRORS

    def test_words_that_change_are_worth_noting_at_once_and_those_that_stay_are_not(self, status: SourceStatus) -> None:
        status.live(NOON)
        assert status.changed
        status.changed = False
        status.live(NOON + after(1))
        status.delivered(Taken(appearances=[APPEARANCE]), NOON)
        status.warn("x")
        assert status.changed
        status.changed = False
        status.warn("x")
        assert not status.changed


class TestNumbers:
    def test_every_element_is_counted_in_one_place(self, status: SourceStatus) -> None:
        status.delivered(Taken(appearances=[APPEARANCE], insights=[INSIGHT], signs_of_life=1), NOON)
        status.delivered(refused("missing_camera"), NOON)
        status.delivered(refused("unknown_event_type"), NOON)
        assert (status.accepted, status.rejected, status.unknown) == (3, 1, 1)

    def test_the_lag_is_from_the_report_to_kafka_and_the_newest_event_never_goes_back(
        self, status: SourceStatus
    ) -> None:
        status.delivered(Taken(appearances=[APPEARANCE]), NOON)
        assert (status.newest_event_at, status.lag_seconds) == (APPEARANCE.ended_at, 2.0)
        earlier = replace(APPEARANCE, ended_at=NOON - after(100), reported_at=NOON - after(90))
        status.delivered(Taken(appearances=[earlier]), NOON)
        assert (status.newest_event_at, status.lag_seconds) == (APPEARANCE.ended_at, 90.0)
        status.delivered(Taken(appearances=[APPEARANCE]), NOON - after(10))
        assert status.lag_seconds == 0.0

    def test_the_rate_is_of_the_last_minute(self, status: SourceStatus) -> None:
        for second in (0, 0.5, 30, 59):
            status.delivered(Taken(signs_of_life=10), NOON + after(second))
        assert status.events_per_minute(NOON + after(59)) == 40
        assert status.events_per_minute(NOON + after(61)) == 20
        assert status.events_per_minute(NOON + after(600)) == 0


class TestMissed:
    def test_spans_that_touch_become_one_where_the_reason_is_the_same(self, status: SourceStatus) -> None:
        status.missed(NOON, NOON + after(10), "no history")
        status.missed(NOON + after(5), NOON + after(20), "no history")
        status.missed(NOON + after(15), NOON + after(30), "refused")
        assert status.missed_spans == [
            Missed(NOON, NOON + after(20), "no history"),
            Missed(NOON + after(15), NOON + after(30), "refused"),
        ]

    def test_of_many_the_newest_are_kept(self, status: SourceStatus) -> None:
        for number in range(MAX_MISSED + 1):
            status.missed(NOON + after(10 * number), NOON + after(10 * number + 1), "x")
        assert len(status.missed_spans) == MAX_MISSED
        assert status.missed_spans[0].since == NOON + after(10)

    @pytest.mark.parametrize(
        ("since", "until", "left"),
        [(0, 30, []), (5, 30, [(0, 5)]), (-5, 5, [(5, 10)]), (3, 6, [(0, 3), (6, 10)]), (20, 30, [(0, 10)])],
    )
    def test_what_is_given_back_later_is_missed_no_more(
        self, status: SourceStatus, since: int, until: int, left: list[tuple[int, int]]
    ) -> None:
        status.missed(NOON, NOON + after(10), "x")
        status.given_back(NOON + after(since), NOON + after(until), Fetched(rows=1))
        assert status.missed_spans == [Missed(NOON + after(a), NOON + after(b), "x") for a, b in left]

    def test_insight_events_are_given_back_only_by_insight_events(self, status: SourceStatus) -> None:
        status.missed(NOON, NOON + after(10), LOST_INSIGHTS)
        status.given_back(NOON, NOON + after(10), Fetched(rows=7))
        assert status.missed_spans == [Missed(NOON, NOON + after(10), LOST_INSIGHTS)]
        status.given_back(NOON, NOON + after(10), Fetched(rows=7, insights=1))
        assert status.missed_spans == []
