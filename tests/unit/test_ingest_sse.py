"""The live stream, through everything that befalls it: nothing is lost, and nothing counts twice."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from services.common import clock
from services.ingest.corsight.stream import MAX_EVENT_BYTES
from services.ingest.simulator import streams
from services.ingest.simulator.api import HistoryForm
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources import sse
from services.ingest.sources.base import SourceError
from services.ingest.status import LOST_INSIGHTS
from tests.support.connector import Parts, at_work, come_to_the_truth, until
from tests.support.vendor import EVENT_PATHS, HISTORY_PATHS, Vendor, serving
from tests.support.vendor_events import appearance_event

FAULTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "streams that break off in the middle of a line": {"drop_every": 37},
    "tokens that are void": {"unauthorized": 4, "drops": 2},
    "logins that are refused": {"unauthorized": 1, "drops": 1, "refused_logins": 2},
    "errors": {"errors": 4, "drops": 1},
    "streams that are elsewhere": {"redirects": 2, "drops": 1},
    "events twice and out of order": {"duplicate": 0.5, "reorder": 30},
    "all forms": {"odd": True},
    "what nobody is to count": {"recorded": 0.3, "unknown_types": 0.3},
    "pieces": {"piece_bytes": 199},
    "slowness": {"slow_seconds": 0.05},
    "a clock that jumps back": {"clock_jump_seconds": -1800, "drop_every": 50},
}


class TestFaults:
    @pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
    async def test_whatever_befalls_the_stream_it_comes_to_the_truth(
        self, parts: Parts, faults: dict[str, Any]
    ) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            vendor.tell(100)
            async with at_work(parts.sse(vendor.url)):
                await until(lambda: parts.status.state == "live")
                vendor.faults.set(**faults)
                for _ in range(20):
                    vendor.tell(10)
                    await asyncio.sleep(0.02)
                vendor.faults.set(**{name: False if value is True else 0 for name, value in faults.items()})
                vendor.tell(50)
                await come_to_the_truth(vendor, parts.kafka)
                await until(lambda: parts.status.state == "live")
        # Of somebody whose track began before the clock jumped back, the later reports end before they begin.
        assert {refused.reason_code for refused in parts.kafka.refused} <= {"negative_dwell", "unknown_event_type"}
        assert {span.reason for span in parts.status.missed_spans} <= {LOST_INSIGHTS}

    @pytest.mark.parametrize("window_of", ["started_at", "seen_at", "sent_at"])
    async def test_by_whatever_time_history_finds_what_was_missed(self, parts: Parts, window_of: Any) -> None:
        async with (
            CorsightSimulator(seed=7, pace=0, history=HistoryForm(window_of=window_of)) as vendor,
            at_work(parts.sse(vendor.url, corsight_history_overlap_seconds=30)),
        ):
            await until(lambda: parts.status.state == "live")
            vendor.tell(500)
            await come_to_the_truth(vendor, parts.kafka)
            vendor.faults.set(drops=1)
            vendor.tell(500)
            await come_to_the_truth(vendor, parts.kafka)

    async def test_silence_is_taken_for_death(self, parts: Parts) -> None:
        async with (
            CorsightSimulator(seed=7, pace=0) as vendor,
            at_work(parts.sse(vendor.url, corsight_silence_seconds=1)),
        ):
            await until(lambda: parts.status.state == "live")
            vendor.tell(50)
            vendor.faults.set(silence=True)
            vendor.tell(50)
            await until(lambda: parts.status.state == "retrying")
            assert "fell silent" in parts.status.errors[0].text
            vendor.faults.set(silence=False)
            await come_to_the_truth(vendor, parts.kafka)

    async def test_a_token_that_ends_costs_nothing(self, parts: Parts) -> None:
        async with (
            CorsightSimulator(seed=7, pace=0, token_seconds=0.2) as vendor,
            at_work(parts.sse(vendor.url)),
        ):
            for _ in range(10):
                vendor.tell(20)
                vendor.faults.set(drops=1)
                await asyncio.sleep(0.1)
            await come_to_the_truth(vendor, parts.kafka)


class TestGaps:
    async def test_at_its_first_start_a_day_is_read_back(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            vendor.tell(300)
            async with at_work(parts.sse(vendor.url)):
                await come_to_the_truth(vendor, parts.kafka)

    async def test_what_was_told_between_two_runs_is_read_back_from_where_the_first_came_to(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sse, "CURSOR_SECONDS", 0.05)
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            async with at_work(parts.sse(vendor.url)):
                vendor.tell(200)
                await until(lambda: sse.NAME in parts.cursors.at)
            vendor.tell(200)
            again = Parts()
            again.cursors = parts.cursors
            # From the cursor on, and not from the day before.
            async with at_work(again.sse(vendor.url, corsight_history_first_hours=0)):
                await until(lambda: len(again.kafka.appearances) > 0)
                again.kafka.appearances += parts.kafka.appearances
                await come_to_the_truth(vendor, again.kafka)

    async def test_a_pause_costs_nothing(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            made = parts.sse(vendor.url)
            for _ in range(3):
                async with at_work(made):
                    await until(lambda: parts.status.state == "live")
                    vendor.tell(60)
                vendor.tell(60)
            async with at_work(made):
                await come_to_the_truth(vendor, parts.kafka)

    async def test_what_history_cannot_give_back_is_told(self, parts: Parts) -> None:
        before = clock.now()
        parts.cursors.at[sse.NAME] = before - timedelta(minutes=7)
        async with serving(Vendor(needs_login=False)) as vendor:
            for path in HISTORY_PATHS:
                vendor.answers[path] = HTMLResponse("not here", 404)
            async with at_work(parts.sse(vendor.url, corsight_username="")):
                await until(lambda: parts.status.missed_spans)
                await until(lambda: parts.status.state == "live")
        [missed] = parts.status.missed_spans
        assert missed.since == before - timedelta(minutes=7)
        assert missed.until >= before
        assert "the history service answers 404" in missed.reason

    async def test_what_it_can_give_back_later_is_missed_no_longer(self, parts: Parts) -> None:
        now = clock.now().timestamp()
        async with serving(Vendor(needs_login=False, rows={"history_db": [appearance_event(now=now)]})) as vendor:
            for path in HISTORY_PATHS:
                vendor.answers[path] = HTMLResponse("later", 503)
            async with at_work(parts.sse(vendor.url, corsight_username="")):
                await until(lambda: parts.status.missed_spans)
                vendor.answers.clear()
                await until(lambda: not parts.status.missed_spans)
        assert parts.kafka.keys == {"track-1"}

    async def test_while_history_is_away_many_gaps_are_one(self, parts: Parts) -> None:
        async with serving(Vendor(needs_login=False, ends=True)) as vendor:
            for path in HISTORY_PATHS:
                vendor.answers[path] = HTMLResponse("later", 503)
            async with at_work(parts.sse(vendor.url, corsight_username="")) as made:
                await until(lambda: len(vendor.of(*EVENT_PATHS)) > 20)
                assert len(made._gaps) < 10
                assert len(parts.status.missed_spans) == 1


class TestKafka:
    async def test_while_it_is_away_nothing_counts_as_read(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sse, "CURSOR_SECONDS", 0.05)
        async with CorsightSimulator(seed=7, pace=0) as vendor, at_work(parts.sse(vendor.url)) as made:
            vendor.tell(500)
            await come_to_the_truth(vendor, parts.kafka)
            # Until the start-up's gap is closed the cursor stays behind, and may come forward later.
            await until(lambda: not made._gaps and parts.cursors.at.get(sse.NAME) == made._progress.complete_at)
            parts.kafka.is_away = True
            known = parts.kafka.keys
            vendor.tell(300)
            await until(lambda: parts.status.state == "retrying")
            assert "Kafka does not take the events" in parts.status.errors[0].text
            reached = parts.cursors.at[sse.NAME]
            await asyncio.sleep(0.2)
            assert (parts.kafka.keys, parts.cursors.at[sse.NAME]) == (known, reached)
            parts.kafka.is_away = False
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.state == "live")

    async def test_while_it_stands_still_memory_is_bounded_and_what_is_lost_is_read_back_or_told(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bound = 200_000
        monkeypatch.setattr(sse, "MAX_WAITING_BYTES", bound)
        async with CorsightSimulator(seed=7, pace=0, crops=True) as vendor, at_work(parts.sse(vendor.url)) as made:
            await until(lambda: parts.status.state == "live")
            while not vendor.truth()["insights"]:
                vendor.tell(50)
            await come_to_the_truth(vendor, parts.kafka)
            monkeypatch.setattr(streams, "MAX_WAITING", 200)
            parts.kafka.answers.clear()
            stood_still_at = clock.now()
            [stream] = vendor.streams._open
            await until(lambda: vendor.tell(100) and stream.ends)
            assert bound <= made._waiting._bytes < bound + 1_000_000
            parts.kafka.answers.set()
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.missed_spans)
        assert {span.reason for span in parts.status.missed_spans} == {LOST_INSIGHTS}
        assert parts.status.missed_spans[0].since >= stood_still_at


class TestPostgres:
    async def test_events_do_not_wait_for_it(self, parts: Parts) -> None:
        parts.cursors.is_away = True
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            vendor.tell(100)
            async with at_work(parts.sse(vendor.url)):
                await until(lambda: parts.status.state == "catching_up")
                vendor.tell(100)
                await until(lambda: parts.kafka.appearances)
                parts.cursors.is_away = False
                await come_to_the_truth(vendor, parts.kafka)
                await until(lambda: parts.status.state == "live")


class TestEvents:
    async def test_one_that_is_too_long_is_kept_in_quarantine(self, parts: Parts) -> None:
        long = b'data: {"event_type": "' + b"x" * (MAX_EVENT_BYTES + 10) + b'"}\n\n'
        good = f"data: {json.dumps(appearance_event(now=clock.now().timestamp()))}\n\n".encode()
        async with (
            serving(Vendor(needs_login=False, stream=[long, good], rows={"history_db": []})) as vendor,
            at_work(parts.sse(vendor.url, corsight_username="")),
        ):
            await until(lambda: parts.kafka.keys)
        assert [refused.reason_code for refused in parts.kafka.refused] == ["too_large"]

    async def test_a_comment_is_a_sign_of_life(self, parts: Parts) -> None:
        stream = [f"data: {json.dumps(appearance_event(now=clock.now().timestamp()))}\n\n".encode()]
        async with (
            serving(Vendor(needs_login=False, stream=stream)) as vendor,
            at_work(parts.sse(vendor.url, corsight_username="", corsight_silence_seconds=0.5)),
        ):
            await until(lambda: parts.kafka.keys)
            vendor.stream[:] = [b": still here\n\n"]
            before = clock.now()
            await until(lambda: parts.status.heard_at and parts.status.heard_at > before)


class TestPlainWords:
    async def test_a_page_for_people_is_no_stream(self, parts: Parts) -> None:
        async with serving(Vendor(needs_login=False)) as vendor:
            for path in EVENT_PATHS:
                vendor.answers[path] = HTMLResponse("<html>")
            async with at_work(parts.sse(vendor.url, corsight_username="")):
                await until(lambda: parts.status.state == "retrying")
        assert "a page for people and no stream" in parts.status.errors[0].text
        assert parts.status.next_retry_at is not None

    async def test_settings_that_cannot_work_are_a_failure(self, parts: Parts) -> None:
        await parts.sse("").run()
        assert parts.status.state == "failed"
        assert "DWELL_CORSIGHT_URL is empty" in parts.status.detail

    async def test_a_test_tells_what_it_found(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sse, "TEST_SECONDS", 0.5)
        async with CorsightSimulator(seed=7, pace=100) as vendor:
            found = await parts.sse(vendor.url).test()
        assert "Corsight takes the login and streams from" in found
        assert "came 0 events" not in found
        with pytest.raises(SourceError, match="cannot connect"):
            await parts.sse("http://127.0.0.1:9").test()
        assert parts.kafka.appearances == []

    async def test_a_span_can_be_asked_for(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            vendor.tell(100)
            now = clock.now()
            made = parts.sse(vendor.url)
            fetched = await made.backfill(now - timedelta(hours=2), now)
            assert fetched.rows == fetched.accepted == len(vendor.truth()["appearances"])
            await come_to_the_truth(vendor, parts.kafka)
            vendor.faults.set(errors=9)
            with pytest.raises(SourceError, match="answers 500"):
                await made.backfill(now - timedelta(hours=2), now)
