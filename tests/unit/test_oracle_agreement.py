"""The two pure cores, one after the other as in production, against the oracle: any reports, any order, repeated."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session
from services.insights.domain.camera import Camera, Outputs
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from tests import oracle
from tests.support import stored
from tests.support.meeting import BEGINNINGS

CAMERA = "c1"
GAP = timedelta(seconds=60)
WINDOW_SECONDS = 300.0
START = datetime(2026, 3, 10, 11, 59, tzinfo=UTC)

# A coarse grid, so that gaps, windows and minutes are often met exactly, and now and then missed by a microsecond.
instants = st.builds(
    lambda halves, micros: START + timedelta(seconds=30 * halves, microseconds=micros),
    st.integers(0, 24),
    st.sampled_from([0, 0, 0, 0, 1]),
)
lengths = st.sampled_from([0, 0, 1, 30, 60, 90, 300]).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def appearances(draw: st.DrawFn) -> Appearance:
    key, person = draw(st.sampled_from("abcdefgh")), draw(st.sampled_from([None, "ann", "bob"]))
    started_at = draw(instants)
    return Appearance(
        appearance_key=key,
        appearance_id=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, None, key),
        started_at=started_at,
        ended_at=started_at + draw(lengths),
        reported_at=START + timedelta(seconds=draw(st.integers(0, 2))),
        source="test",
        person_id=person,
        age_group=draw(st.sampled_from(["other", "20-29", "30-39"])),
        gender=draw(st.sampled_from(["other", "female"])),
    )


@st.composite
def insight_events(draw: st.DrawFn) -> InsightEvent:
    return InsightEvent(
        insight_id=draw(st.sampled_from(["i", "j"])),
        kind="loitering",
        camera_id=CAMERA,
        started_at=draw(instants),
        reported_at=START + timedelta(seconds=draw(st.integers(0, 20))),
        source="test",
        duration_seconds=draw(lengths).total_seconds(),
        subject_id=draw(st.sampled_from([None, "ann", "bob"])),
    )


def sessions_stream(records: list[list[Appearance]]) -> list[list[Session]]:
    """What the processor tells, a list a record."""
    values: dict[str, bytes] = {}
    stream = []
    for revision, record in enumerate(records, 1):
        state = CameraState(values.get)
        stream.append(step(state, record, camera_id=CAMERA, gap=GAP, revision=revision))
        values.update(state.writes())
    return stream


class Insights:
    """What the insights service tells; of each record the last revision is kept, as the sink does."""

    def __init__(self) -> None:
        self.minutes: dict[datetime, OccupancyMinute] = {}
        self.insights: dict[str, MergedInsight] = {}
        self._values: dict[str, bytes] = {}
        self._written: dict[str, bytes] = {}
        self._sessions = 0
        self._events = 0

    def take(self, *records: list[Session] | list[InsightEvent]) -> None:
        """Handle the records as one batch."""
        camera = Camera(CAMERA, self._values.get, window_seconds=WINDOW_SECONDS, gap=GAP, written=self._written)
        for record in records:
            if sessions := [item for item in record if isinstance(item, Session)]:
                self._sessions += 1
                camera.on_sessions(sessions, revision=self._sessions, rules=[], now=START, processed_at=START)
            if events := [item for item in record if isinstance(item, InsightEvent)]:
                self._events += 1
                camera.on_insights(events, revision=self._events)
        self._keep(camera.outputs(START))
        self._values.update([*camera.claim(), *camera.writes()])

    def _keep(self, outputs: Outputs) -> None:
        for minute in outputs.minutes:
            if minute.minute not in self.minutes or self.minutes[minute.minute].revision < minute.revision:
                self.minutes[minute.minute] = minute
        for insight in outputs.insights:
            if insight.insight_id not in self.insights or self.insights[insight.insight_id].revision < insight.revision:
                self.insights[insight.insight_id] = insight


def rows(items: list[Any], columns: tuple[str, ...]) -> stored.Rows:
    return stored.keyed([msgspec.structs.asdict(item) for item in items], columns)


def plain(items: list[Any]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(item) for item in items]


@settings(max_examples=60, deadline=None)
@given(
    reports=st.lists(appearances(), min_size=1, max_size=14),
    events=st.lists(insight_events(), max_size=4, unique_by=lambda event: (event.insight_id, event.reported_at)),
    beginning=BEGINNINGS,
    data=st.data(),
)
def test_sessions_minutes_and_merged_insights_are_what_the_oracle_says(
    reports: list[Appearance], events: list[InsightEvent], beginning: datetime, data: st.DataObject
) -> None:
    off = beginning - START
    reports = [replace(each, started_at=each.started_at + off, ended_at=each.ended_at + off) for each in reports]
    events = [replace(each, started_at=each.started_at + off) for each in events]
    repeated = data.draw(st.permutations(reports + reports[:3]), label="order")
    cut = data.draw(st.integers(1, 4), label="items a record")
    stream = sessions_stream([repeated[n : n + cut] for n in range(0, len(repeated), cut)])

    insights = Insights()
    waiting = list(events)
    batch: list[list[Session] | list[InsightEvent]] = []
    for record in stream:
        batch.append(record)
        an_insight_now = data.draw(st.booleans(), label="an insight now")
        if waiting and an_insight_now:
            batch.append([waiting.pop()])
        if data.draw(st.booleans(), label="the batch ends"):
            insights.take(*batch)
            batch = []
    insights.take(*batch, *([event] for event in waiting))

    latest = {session.session_id: session for record in stream for session in record}
    sessions = oracle.sessions(oracle.appearances(oracle.reports(plain(reports))), GAP.total_seconds())
    active = [session for session in latest.values() if session.status == "active"]
    assert rows(active, stored.SESSION) == stored.expected(sessions, stored.SESSION)

    minutes = [minute for minute in insights.minutes.values() if minute.entries or minute.exits or minute.occupancy_avg]
    assert rows(minutes, stored.MINUTE) == stored.expected(oracle.occupancy_minutes(sessions), stored.MINUTE)

    if events:
        merged = oracle.merged_insights(oracle.insight_events(plain(events)), sessions, WINDOW_SECONDS)
        assert rows(list(insights.insights.values()), stored.INSIGHT) == stored.expected(merged, stored.INSIGHT)
