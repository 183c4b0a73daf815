"""History read on a schedule: overlapping windows, both databases, and a cursor that never runs ahead of Kafka."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.common import clock
from services.ingest.corsight.refill import Known
from services.ingest.simulator.api import HistoryForm
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources import history
from services.ingest.sources.base import SourceError
from tests.support.connector import Parts, at_work, come_to_the_truth, until
from tests.support.vendor import Vendor, serving
from tests.support.vendor_events import appearance_event

FAULTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "tokens that are void": {"unauthorized": 4},
    "logins that are refused": {"unauthorized": 1, "refused_logins": 3},
    "errors": {"errors": 6},
    "matches that are null": {"odd": True},
    "slowness": {"slow_seconds": 0.05},
    "a clock that jumps back": {"clock_jump_seconds": -1800},
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_befalls_it_it_comes_to_the_truth(parts: Parts, faults: dict[str, Any]) -> None:
    async with CorsightSimulator(seed=7, pace=0) as vendor:
        vendor.tell(100)
        async with at_work(parts.history(vendor.url)) as made:
            await until(lambda: parts.status.state == "live")
            vendor.faults.set(**faults)
            for _ in range(10):
                vendor.tell(20)
                await asyncio.sleep(0.05)
            await made.one_more_reading()
            vendor.faults.set(**{name: False if value is True else 0 for name, value in faults.items()})
            vendor.tell(50)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.state == "live")
    # Of somebody whose track began before the clock jumped back, the later reports end before they begin.
    assert {refused.reason_code for refused in parts.kafka.refused} <= {"negative_dwell"}


@pytest.mark.parametrize("layout", ["gateway", "direct"])
@pytest.mark.parametrize("form", [HistoryForm(flat=True), HistoryForm(milliseconds=True), HistoryForm(named=True)])
async def test_every_version_is_read(parts: Parts, form: HistoryForm, layout: str) -> None:
    async with CorsightSimulator(seed=7, pace=0, history=form) as vendor:
        vendor.tell(300)
        unit = "milliseconds" if form.milliseconds else "seconds"
        made = parts.history(vendor.url, corsight_history_time_unit=unit, corsight_layout=layout)
        async with at_work(made):
            await come_to_the_truth(vendor, parts.kafka, named=form.named)


@pytest.mark.parametrize("window_of", ["started_at", "seen_at", "sent_at"])
async def test_by_whatever_time_it_finds_tracks_all_are_found(parts: Parts, window_of: Any) -> None:
    async with (
        CorsightSimulator(seed=7, pace=0, history=HistoryForm(window_of=window_of)) as vendor,
        at_work(parts.history(vendor.url, corsight_history_overlap_seconds=30)) as made,
    ):
        for _ in range(5):
            vendor.tell(200)
            await made.one_more_reading()
        await come_to_the_truth(vendor, parts.kafka)


async def test_what_was_read_before_is_not_delivered_again(parts: Parts) -> None:
    async with CorsightSimulator(seed=7, pace=0) as vendor:
        vendor.tell(2_000)
        finished = {row["appearance_key"] for row in vendor.truth()["appearances"]}
        async with at_work(parts.history(vendor.url, corsight_history_overlap_seconds=7_200)) as made:
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.state == "live")
            assert parts.status.detail.startswith("asked for what is new every")
            count = len(parts.kafka.appearances)
            await made.one_more_reading()
            assert len(parts.kafka.appearances) - count < len(finished) / 2


async def test_what_is_known_is_bounded(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Known, "MAX_ROWS", 30)
    async with CorsightSimulator(seed=7, pace=0) as vendor:
        vendor.tell(1_000)
        async with at_work(parts.history(vendor.url)) as made:
            await come_to_the_truth(vendor, parts.kafka)
            assert len(made._known._digests) <= 30


class TestCursor:
    async def test_it_goes_by_the_times_of_what_was_read(self, parts: Parts) -> None:
        then = clock.now() - timedelta(hours=2)
        rows = [appearance_event(number, now=then.timestamp() + number) for number in range(5)]
        async with (
            serving(Vendor(needs_login=False, rows={"history_db": rows})) as vendor,
            at_work(parts.history(vendor.url, corsight_username="")),
        ):
            await until(lambda: parts.status.state == "live")
            assert parts.cursors.at[history.NAME] == then + timedelta(seconds=4)
            assert parts.status.cursor_at == then + timedelta(seconds=4)

    async def test_the_next_run_goes_on_from_it_with_an_overlap(self, parts: Parts) -> None:
        at = clock.now() - timedelta(minutes=40)
        parts.cursors.at[history.NAME] = at
        async with (
            serving(Vendor(needs_login=False)) as vendor,
            at_work(parts.history(vendor.url, corsight_username="", corsight_history_overlap_seconds=60)),
        ):
            await until(vendor.spans)
            assert vendor.spans()[0][0] == int((at - timedelta(seconds=60)).timestamp())

    async def test_while_kafka_is_away_it_stays(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor, at_work(parts.history(vendor.url)):
            vendor.tell(600)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: history.NAME in parts.cursors.at)
            parts.kafka.is_away = True
            vendor.tell(2_000)
            await until(lambda: parts.status.state == "retrying")
            reached = parts.cursors.at[history.NAME]
            parts.kafka.is_away = False
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.cursors.at[history.NAME] > reached)

    async def test_while_kafka_is_away_no_more_than_the_next_page_is_read(self, parts: Parts) -> None:
        now = clock.now().timestamp()
        rows = [appearance_event(number, now=now - number) for number in range(200)]
        parts.kafka.is_away = True
        async with (
            serving(Vendor(needs_login=False, rows={"history_db": rows})) as vendor,
            at_work(parts.history(vendor.url, corsight_username="", corsight_history_first_hours=0)),
        ):
            await until(lambda: parts.status.state == "retrying" and len(vendor.spans()) == 2)
            assert "Kafka does not take the events" in parts.status.detail
            await asyncio.sleep(0.2)
            assert (len(vendor.spans()), parts.cursors.at) == (2, {})
            parts.kafka.is_away = False
            await until(lambda: len(parts.kafka.keys) == len(rows))
            await until(lambda: history.NAME in parts.cursors.at)
        assert parts.status.missed_spans == []

    async def test_while_postgres_is_away_rows_are_read_on(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor, at_work(parts.history(vendor.url)):
            vendor.tell(100)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.state == "live")
            parts.cursors.is_away = True
            vendor.tell(100)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: parts.status.errors)
            assert "PostgreSQL" in parts.status.errors[0].text

    async def test_who_stays_for_long_and_then_goes_is_looked_for_from_the_beginning(self, parts: Parts) -> None:
        now = clock.now().timestamp()
        long = appearance_event(1, now=now)
        long["appearance_data"]["utc_time_started"] = now - 1_800
        others = [appearance_event(number, now=now + number) for number in range(2, 5)]
        async with (
            serving(Vendor(needs_login=False, rows={"live_db": [long], "history_db": others})) as vendor,
            at_work(parts.history(vendor.url, corsight_username="", corsight_history_overlap_seconds=60)),
        ):
            await until(lambda: parts.status.state == "live")
            # Held back, for it may be found by its beginning only.
            assert parts.cursors.at[history.NAME].timestamp() == pytest.approx(now - 1_800)
            vendor.rows["live_db"] = []
            await until(lambda: vendor.spans()[-1][0] <= now - 1_800)


class TestPlainWords:
    async def test_settings_that_cannot_work_are_a_failure(self, parts: Parts) -> None:
        await parts.history("").run()
        assert parts.status.state == "failed"

    @pytest.mark.parametrize("status", [400, 404, 422, 500])
    async def test_a_version_without_what_is_running_is_read_all_the_same(self, parts: Parts, status: int) -> None:
        now = clock.now().timestamp()
        rows = {"history_db": [appearance_event(now=now)]}
        refusals = {"live_db": status}
        async with (
            serving(Vendor(needs_login=False, rows=rows, refusals=refusals)) as vendor,
            at_work(parts.history(vendor.url, corsight_username="")),
        ):
            await until(lambda: parts.kafka.keys)

    async def test_a_test_tells_what_it_found(self, parts: Parts) -> None:
        now = clock.now().timestamp()
        rows = {"history_db": [appearance_event(now=now)]}
        async with serving(Vendor(needs_login=False, rows=rows)) as vendor:
            found = await parts.history(vendor.url, corsight_username="").test()
        assert found == "Corsight takes the login; the first page of its last 10 minutes of history has 1 rows."
        with pytest.raises(SourceError, match="cannot connect"):
            await parts.history("http://127.0.0.1:9").test()

    async def test_a_span_can_be_asked_for(self, parts: Parts) -> None:
        async with CorsightSimulator(seed=7, pace=0) as vendor:
            vendor.tell(300)
            now = clock.now()
            await parts.history(vendor.url).backfill(now - timedelta(hours=2), now)
            await come_to_the_truth(vendor, parts.kafka)
