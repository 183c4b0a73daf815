"""Insight events of a time in which nobody heard the stream: read back where history has them, else told as missed."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.common import clock
from services.ingest.corsight.unheard import MAX_SPANS, Unheard
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources import sse
from services.ingest.status import LOST_INSIGHTS, Missed, SourceStatus
from tests.support.connector import Parts, at_work, come_to_the_truth, until
from tests.support.vendor import EVENT_PATHS, HISTORY_PATHS, Vendor, serving
from tests.support.vendor_events import NOON, appearance_event, crowd_event


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class TestSpans:
    @pytest.fixture
    def status(self) -> SourceStatus:
        return SourceStatus("corsight:sse")

    @pytest.fixture
    def unheard(self, status: SourceStatus) -> Unheard:
        made = Unheard(status)
        made.began(NOON)
        made.go_on(None)
        return made

    def test_of_a_system_that_tells_none_nothing_is_missed_until_it_tells_its_first(
        self, unheard: Unheard, status: SourceStatus
    ) -> None:
        unheard.add(after(10), after(20))
        unheard.read_back(after(20), insights=0)
        assert (status.missed_spans, unheard.complete_at(after(30))) == ([], None)
        unheard.heard_one()
        assert status.missed_spans == [Missed(after(10), after(20), LOST_INSIGHTS)]

    def test_a_span_is_told_once_history_was_read_over_it(self, unheard: Unheard, status: SourceStatus) -> None:
        unheard.heard_one()
        unheard.add(after(10), after(20))
        unheard.add(after(30), after(40))
        assert (status.missed_spans, unheard.complete_at(after(50))) == ([], after(10))
        unheard.read_back(after(20), insights=0)
        assert status.missed_spans == [Missed(after(10), after(20), LOST_INSIGHTS)]
        assert unheard.complete_at(after(50)) == after(30)
        unheard.read_back(after(40), insights=0)
        assert unheard.complete_at(after(50)) == after(50)

    def test_where_history_has_some_none_are_missed(self, unheard: Unheard, status: SourceStatus) -> None:
        unheard.heard_one()
        unheard.add(after(10), after(20))
        unheard.read_back(after(20), insights=2)
        unheard.add(after(30), after(40))
        unheard.read_back(after(40), insights=0)
        assert status.missed_spans == []

    def test_what_an_earlier_process_had_not_heard_belongs_to_them(self, status: SourceStatus) -> None:
        unheard = Unheard(status)
        unheard.began(after(60))
        assert unheard.complete_at(after(61)) is None
        unheard.go_on(NOON)
        assert unheard.complete_at(after(61)) == NOON
        unheard.read_back(after(60), insights=0)
        assert status.missed_spans == [Missed(NOON, after(60), LOST_INSIGHTS)]

    def test_their_number_is_bounded(self, unheard: Unheard) -> None:
        unheard.heard_one()
        for second in range(0, 20 * MAX_SPANS, 10):
            unheard.add(after(second), after(second + 5))
        assert len(unheard._spans) == MAX_SPANS
        assert unheard.complete_at(after(9_999)) == NOON


def line(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def told_crowd(vendor: CorsightSimulator) -> None:
    known = len(vendor.truth()["insights"])
    while len(vendor.truth()["insights"]) == known:
        vendor.tell(50)


class TestStream:
    async def test_a_gap_of_a_system_that_tells_insights_is_told_in_plain_words(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor, at_work(parts.sse(vendor.url)):
            await until(lambda: parts.status.state == "live")
            told_crowd(vendor)
            await come_to_the_truth(vendor, parts.kafka)
            assert parts.status.missed_spans == []
            before = clock.now()
            vendor.faults.set(drops=1)
            told_crowd(vendor)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.missed_spans)
        [missed] = parts.status.missed_spans
        assert missed.reason == LOST_INSIGHTS
        assert missed.since < missed.until <= clock.now()
        assert missed.until > before

    async def test_one_that_tells_none_is_silent_about_them(self, parts: Parts) -> None:
        event = appearance_event(now=clock.now().timestamp())
        rows = {"history_db": [event]}
        async with (
            serving(Vendor(needs_login=False, stream=[line(event)], ends=True, rows=rows)) as vendor,
            at_work(parts.sse(vendor.url, corsight_username="")),
        ):
            await until(lambda: len(vendor.of(*EVENT_PATHS)) > 5 and len(vendor.of(*HISTORY_PATHS)) > 5)
        assert parts.status.missed_spans == []

    async def test_of_one_whose_history_has_them_none_are_missed(self, parts: Parts) -> None:
        now = clock.now().timestamp()
        rows = {"history_db": [appearance_event(now=now), crowd_event(now)]}
        async with (
            serving(Vendor(needs_login=False, stream=[line(crowd_event(now))], ends=True, rows=rows)) as vendor,
            at_work(parts.sse(vendor.url, corsight_username="")),
        ):
            await until(lambda: len(vendor.of(*EVENT_PATHS)) > 5 and len(vendor.of(*HISTORY_PATHS)) > 5)
        assert parts.status.missed_spans == []

    async def test_the_next_process_tells_from_where_this_one_had_heard_them(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sse, "CURSOR_SECONDS", 0.05)
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            async with at_work(parts.sse(vendor.url)):
                await until(lambda: parts.status.state == "live")
                told_crowd(vendor)
                await until(lambda: sse.INSIGHTS in parts.cursors.at)
            reached = parts.cursors.at[sse.INSIGHTS]
            async with at_work(parts.sse(vendor.url)):
                await until(lambda: parts.status.missed_spans)
        [missed] = parts.status.missed_spans
        assert (missed.since, missed.reason) == (reached, LOST_INSIGHTS)

    async def test_a_pause_is_such_a_time(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            made = parts.sse(vendor.url)
            async with at_work(made):
                await until(lambda: parts.status.state == "live")
                told_crowd(vendor)
                await come_to_the_truth(vendor, parts.kafka)
            paused_at = clock.now()
            async with at_work(made):
                await until(lambda: parts.status.missed_spans)
        [missed] = parts.status.missed_spans
        assert missed.since <= paused_at < missed.until
