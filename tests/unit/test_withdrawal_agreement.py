"""Processor, sink and insights, joined by logs as in production, against the oracle, while origins take reports back.

The processor has next to no memory, or loses it; anybody crashes anywhere, or reads everything again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session, appearances_before, revision_after
from services.insights.domain.camera import Camera
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from services.sink.domain.repair import look_again, settle
from tests import oracle
from tests.support import stored
from tests.support.meeting import CAMERA, T0, a_report
from tests.support.shelf import GAP, Shelf, active, gap_of, right

WINDOW_SECONDS = 60.0

ROUNDS = 100
"""Far more than it takes to read everything: who has read it must have nothing more to say."""

ORIGINS = ("upload:1", "upload:2", "corsight:webhook")


@st.composite
def items(draw: st.DrawFn) -> Appearance:
    """Reports, and now and then a withdrawal, of which most find something; some lie farther off."""
    one = draw(a_report())
    off = timedelta(minutes=draw(st.sampled_from([0, 0, 0, 0, 0, 17])))
    return replace(
        one,
        started_at=one.started_at + off,
        ended_at=one.ended_at + off,
        source=f"{draw(st.sampled_from(ORIGINS))}#{draw(st.integers(1, 2))}",
        withdrawn=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[list[Appearance]]:
    """Records; now and then an upload is undone, and now and then it comes again."""
    records: list[list[Appearance]] = draw(st.lists(st.lists(items(), min_size=1, max_size=4), min_size=1, max_size=9))
    if draw(st.booleans()):
        of_upload = [each for record in records for each in record if each.source.startswith("upload:1")]
        cut = draw(st.integers(1, 4))
        # At another time, as after a correction of the time zone.
        off = timedelta(minutes=draw(st.sampled_from([0, 40])))
        undone = [replace(each, withdrawn=True) for each in of_upload]
        again = [replace(each, started_at=each.started_at + off, ended_at=each.ended_at + off) for each in of_upload]
        for told in (undone, again)[: draw(st.integers(1, 2))]:
            records = records + [told[n : n + cut] for n in range(0, len(told), cut)]
    return records


@st.composite
def insight_items(draw: st.DrawFn) -> InsightEvent:
    return InsightEvent(
        insight_id=draw(st.sampled_from("ij")),
        kind="crowd",
        camera_id=CAMERA,
        started_at=T0.replace(minute=draw(st.integers(0, 12))),
        reported_at=T0.replace(second=draw(st.integers(0, 59))),
        source=f"{draw(st.sampled_from(ORIGINS))}#1",
        duration_seconds=draw(st.sampled_from([0.0, 90.0])),
        subject_id=draw(st.sampled_from([None, "ann", "bob"])),
        withdrawn=draw(st.sampled_from([False, False, True])),
    )


class Processor:
    def __init__(self, records: Sequence[Sequence[Appearance]], log: list[list[Session]]) -> None:
        self._records = records
        self._log = log
        self._values: dict[str, bytes] = {}
        self._offset = 0

    @property
    def done(self) -> bool:
        return self._offset == len(self._records)

    def work(self, count: int, kept: int | None = None) -> None:
        """Handle some records; a crash keeps only so many of the writes, and acknowledges nothing."""
        state = CameraState(self._values.get)
        sessions: dict[str, Session] = {}
        following = min(self._offset + count, len(self._records))
        for offset in range(self._offset, following):
            changed = step(state, self._records[offset], camera_id=CAMERA, gap=GAP, revision=revision_after(offset))
            sessions.update((session.session_id, session) for session in changed)
        if sessions:
            self._log.append(list(sessions.values()))
        self._values.update(list(state.writes())[:kept])
        if kept is None:
            self._offset = following

    def lose_state(self) -> None:
        self._values.clear()
        self._offset = 0


class Sink:
    def __init__(self, records: Sequence[Sequence[Appearance]], log: list[list[Session]]) -> None:
        self._records = records
        self._log = log
        self._heard = 0
        self._read = 0
        self.shelf = Shelf()

    @property
    def done(self) -> bool:
        return (self._heard, self._read) == (len(self._records), len(self._log))

    def hear(self, count: int) -> None:
        following = min(self._heard + count, len(self._records))
        numbers = range(self._heard, following)
        withdrawn = self.shelf.report([(revision_after(n), report) for n in numbers for report in self._records[n]])
        self._heard = following
        if withdrawn:
            asyncio.run(self._look_again(withdrawn))

    def read(self, count: int) -> None:
        """Session records as far as their appearances are known, or no more of these are to come."""
        following = self._read
        while following < min(self._read + count, len(self._log)) and (
            self._heard == len(self._records)
            or all(appearances_before(each.revision) <= self._heard for each in self._log[following])
        ):
            following += 1
        told = [session for record in self._log[self._read : following] for session in record]
        self._read = following
        self._tell(asyncio.run(settle(self.shelf, told, gap_of)))

    def read_all_again(self) -> None:
        self._heard = self._read = 0

    async def _look_again(self, withdrawn: Sequence[Any]) -> None:
        self._tell(await look_again(self.shelf, withdrawn, gap_of))

    def _tell(self, repaired: list[Session]) -> None:
        if repaired:
            self._log.append(repaired)


class Insights:
    def __init__(self, log: list[list[Session]], events: Sequence[InsightEvent]) -> None:
        self._log = log
        self._events = events
        self._values: dict[str, bytes] = {}
        self._written: dict[str, bytes] = {}
        self._read = 0
        self._taken = 0
        self.minutes: dict[datetime, OccupancyMinute] = {}
        self.insights: dict[str, MergedInsight] = {}

    @property
    def done(self) -> bool:
        return (self._read, self._taken) == (len(self._log), len(self._events))

    def work(self, records: int, events: int, kept: int | None = None) -> None:
        camera = Camera(CAMERA, self._values.get, window_seconds=WINDOW_SECONDS, gap=GAP, written=self._written)
        read, taken = min(self._read + records, len(self._log)), min(self._taken + events, len(self._events))
        for offset in range(self._read, read):
            camera.on_sessions(self._log[offset], revision=offset + 1, rules=[], now=T0, processed_at=T0)
        for offset in range(self._taken, taken):
            camera.on_insights([self._events[offset]], revision=offset + 1)
        outputs = camera.outputs(T0)
        self._values.update(camera.claim())
        for minute in outputs.minutes:
            known = self.minutes.get(minute.minute)
            if known is None or known.revision < minute.revision:
                self.minutes[minute.minute] = minute
        for insight in outputs.insights:
            before = self.insights.get(insight.insight_id)
            if before is None or before.revision < insight.revision:
                self.insights[insight.insight_id] = insight
        self._values.update(list(camera.writes())[:kept])
        if kept is None:
            self._read, self._taken = read, taken
        else:
            self._written.clear()


@contextmanager
def a_memory_of(sessions_bytes: int, index_bytes: int, buckets: int) -> Iterator[None]:
    with (
        patch("services.processor.domain.buckets.BUCKETS", buckets),
        patch("services.processor.domain.buckets.SESSIONS_BYTES", sessions_bytes),
        patch("services.processor.domain.buckets.INDEX_BYTES", index_bytes),
    ):
        yield


@settings(max_examples=150, deadline=None)
@given(
    records=histories(),
    events=st.lists(insight_items(), max_size=6),
    sessions_bytes=st.sampled_from([0, 150, 300, 6000, 6000]),
    index_bytes=st.sampled_from([0, 40, 80, 1500, 1500]),
    buckets=st.sampled_from([1, 2, 64]),
    data=st.data(),
)
def test_what_remains_is_what_the_oracle_says_of_the_others(
    records: list[list[Appearance]],
    events: list[InsightEvent],
    sessions_bytes: int,
    index_bytes: int,
    buckets: int,
    data: st.DataObject,
) -> None:
    log: list[list[Session]] = []
    processor, sink, insights = Processor(records, log), Sink(records, log), Insights(log, events)
    count = st.integers(1, 4)
    mishaps = data.draw(st.integers(0, 4), label="mishaps")
    with a_memory_of(sessions_bytes, index_bytes, buckets):
        for _ in range(data.draw(st.integers(5, 40), label="turns")):
            match data.draw(st.sampled_from(["process", "hear", "read", "merge", "mishap"]), label="turn"):
                case "process":
                    processor.work(data.draw(count))
                case "hear":
                    sink.hear(data.draw(count))
                case "read":
                    sink.read(data.draw(count))
                case "merge":
                    insights.work(data.draw(count), data.draw(st.integers(0, 2)))
                case "mishap" if mishaps:
                    mishaps -= 1
                    match data.draw(st.sampled_from(["processor", "insights", "state", "sink"]), label="mishap"):
                        case "processor":
                            processor.work(data.draw(count), kept=data.draw(st.integers(0, 9), label="kept"))
                        case "insights":
                            insights.work(data.draw(count), 1, kept=data.draw(st.integers(0, 9), label="kept"))
                        case "state":
                            processor.lose_state()
                        case "sink":
                            sink.read_all_again()
        for _ in range(ROUNDS):
            processor.work(3)
            sink.hear(3)
            sink.read(3)
            insights.work(3, 1)
            if processor.done and sink.done and insights.done:
                break

    assert (processor.done, sink.done, insights.done) == (True, True, True)
    reports = [each for record in records for each in record]
    assert active(sink.shelf) == right(reports)
    sessions = oracle.sessions(oracle.appearances(oracle.reports(plain(reports))), GAP.total_seconds())
    minutes = [minute for minute in insights.minutes.values() if minute.entries or minute.exits or minute.occupancy_avg]
    assert rows(minutes, stored.MINUTE) == stored.expected(oracle.occupancy_minutes(sessions), stored.MINUTE)
    merged = oracle.merged_insights(oracle.insight_events(plain(events)), sessions, WINDOW_SECONDS)
    reported = [insight for insight in insights.insights.values() if not insight.withdrawn]
    assert rows(reported, stored.INSIGHT) == stored.expected(merged, stored.INSIGHT)


def rows(items: Sequence[Any], columns: tuple[str, ...]) -> stored.Rows:
    return stored.keyed([msgspec.structs.asdict(item) for item in items], columns)


def plain(items: Sequence[Any]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(item) for item in items]
