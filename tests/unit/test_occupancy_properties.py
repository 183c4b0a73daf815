"""Any order of sessions and insight events, any repetition, any cut into records and any crash come to the same."""

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.alerts import Alert, AlertRule
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session
from services.insights.domain.camera import Camera
from tests.oracle_alerts import Breach, breaches
from tests.support.camera_feed import CAMERA, T0, at, insight, session

WINDOW = timedelta(seconds=300)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

Interval = tuple[datetime, datetime]
Row = dict[str, Any]
Status = Literal["active", "absorbed"]

# Quarters of an hour, minutes and window bounds all fall on these, so equalities are common.
INSTANTS = st.integers(0, 40).map(lambda n: n * 150.0)
LENGTHS = st.sampled_from([0.0, 30.0, 150.0, 1_800.0, 9_000.0])


LONG_STAY, CROWD = (
    AlertRule(
        rule_id=kind, version=1, name=kind, kind=kind, threshold=threshold, severity="low", updated_at=T0,
        cooldown_seconds=0,
    )
    for kind, threshold in (("dwell_exceeded", 600.0), ("occupancy_exceeded", 1.0))
)  # fmt: skip

VERSIONS = st.tuples(st.sampled_from([0.0, 0.0, 0.0, 150.0, 1_200.0]), LENGTHS, st.booleans())
"""By how much the start moves earlier, the length beyond the first start, and whether the session lives."""


@st.composite
def logs(draw: st.DrawFn) -> list[Session]:
    """Sessions as the processor tells them, each in some versions: the start never moves later and the session always
    covers where it first began; the end moves both ways; it may be absorbed and live again."""
    histories = draw(st.lists(st.tuples(INSTANTS, st.lists(VERSIONS, min_size=1, max_size=3)), max_size=5))
    log = []
    for number, (first_start, versions) in enumerate(histories):
        start = first_start
        for earlier, length, lives in versions:
            start -= earlier
            status: Status = "active" if lives else "absorbed"
            log.append(session(f"s{number}", start, first_start + length, f"p{number % 3}", status=status))
    order = draw(st.permutations(range(len(log))))
    shuffled = [log[position] for position in order]
    # In any order, but the versions of each session in theirs.
    in_order = {one.session_id: iter([v for v in log if v.session_id == one.session_id]) for one in log}
    return [replace(next(in_order[one.session_id]), revision=offset) for offset, one in enumerate(shuffled, 1)]


INSIGHTS = st.lists(
    st.builds(
        insight,
        st.sampled_from(["i", "j"]),
        INSTANTS,
        st.sampled_from([0.0, 150.0, 2_000.0]),
        st.sampled_from([None, "p0", "p1"]),
        reported_at=st.integers(0, 2).map(at),
        kind=st.sampled_from(["crowd", "loitering"]),
    ),
    max_size=4,
)


def busy(intervals: list[Interval], start: datetime, end: datetime) -> timedelta:
    return sum((max(min(e, end) - max(s, start), timedelta()) for s, e in intervals), timedelta())


def most_at_once(intervals: list[Interval], start: datetime, end: datetime) -> int:
    """Occupancy rises only where a session starts."""
    instants = [start, *(s for s, _ in intervals if start <= s < end)]
    return max(sum(s <= t < e for s, e in intervals) for t in instants)


def batch_minutes(sessions: list[Session]) -> dict[datetime, tuple[float, int, int, int]]:
    intervals = [(s.started_at, s.ended_at) for s in sessions]
    touched = set()
    for start, end in intervals:
        minute = start.replace(second=0, microsecond=0)
        while minute <= end:
            touched.add(minute)
            minute += MINUTE
    return {
        minute: (
            busy(intervals, minute, minute + MINUTE) / MINUTE,
            most_at_once(intervals, minute, minute + MINUTE),
            sum(minute <= s < minute + MINUTE for s, _ in intervals),
            sum(minute <= e < minute + MINUTE for _, e in intervals),
        )
        for minute in touched
    }


def batch_merges(events: list[InsightEvent], sessions: list[Session]) -> dict[str, Row]:
    held: dict[str, list[InsightEvent]] = defaultdict(list)
    for event in events:
        held[event.insight_id].append(event)
    intervals = [(s.started_at, s.ended_at) for s in sessions]
    rows = {}
    for insight_id, reports in held.items():
        newest = max(report.reported_at for report in reports)
        # Equal reports apart, the greater JSON is decided by what comes first in it: duration, kind, start, subject.
        event = max((r for r in reports if r.reported_at == newest), key=as_json)
        event_end = event.started_at + timedelta(seconds=event.duration_seconds)
        begin, end = event.started_at - WINDOW, event_end + WINDOW
        inside = [(s, e) for s, e in intervals if s <= end and (e > begin or s == e == begin)]
        own = [
            s
            for s in sorted(sessions, key=lambda s: s.session_id)
            if s.subject_id == event.subject_id and s.started_at <= event_end and s.ended_at >= event.started_at
        ]
        overlaps = [(-busy([(s.started_at, s.ended_at)], event.started_at, event_end), s.started_at) for s in own]
        best = own[overlaps.index(min(overlaps))] if own else None
        rows[insight_id] = {
            "kind": event.kind,
            "started_at": event.started_at,
            "occupancy_at_event": sum(s <= event.started_at < e for s, e in intervals),
            "occupancy_peak": most_at_once(intervals, begin, end + timedelta(microseconds=1)),
            "occupancy_avg": busy(intervals, begin, end) / (end - begin),
            "baseline_avg": busy(intervals, begin - HOUR, begin) / HOUR,
            "sessions_in_window": len(inside),
            "session_id": best.session_id if best else None,
            "session_dwell_seconds": best.dwell_seconds if best else None,
            "match": "matched" if inside else "no_occupancy",
        }
    return rows


def as_json(event: InsightEvent) -> str:
    return json.dumps(msgspec.to_builtins(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def last_active(log: list[Session]) -> list[Session]:
    latest = {version.session_id: version for version in log}
    return [version for version in latest.values() if version.status == "active"]


def kept_minutes(stream: list[OccupancyMinute]) -> dict[datetime, tuple[float, int, int, int]]:
    """What a reader who keeps the greatest revision has, empty minutes left out."""
    kept: dict[datetime, OccupancyMinute] = {}
    for told in stream:
        if told.minute not in kept or told.revision > kept[told.minute].revision:
            kept[told.minute] = told
    rows = {
        minute: (told.occupancy_avg, told.occupancy_peak, told.entries, told.exits) for minute, told in kept.items()
    }
    return {minute: row for minute, row in rows.items() if row != (0.0, 0, 0, 0)}


def kept_merges(stream: list[MergedInsight], fields: set[str]) -> dict[str, Row]:
    kept: dict[str, MergedInsight] = {}
    for told in stream:
        if told.insight_id not in kept or told.revision > kept[told.insight_id].revision:
            kept[told.insight_id] = told
    return {insight_id: {field: getattr(told, field) for field in fields} for insight_id, told in kept.items()}


def cut(data: st.DataObject, items: list[Any]) -> list[list[Any]]:
    records = []
    while items:
        size = data.draw(st.integers(1, 4))
        records.append(items[:size])
        items = items[size:]
    return records


def batch_breaches(rule: AlertRule, sessions: list[Session]) -> set[Breach]:
    if not sessions:
        return set()
    return breaches(rule, pd.DataFrame([msgspec.structs.asdict(one) for one in sessions]), pd.Timedelta(minutes=1))


def kept_alerts(stream: list[Alert]) -> list[Alert]:
    kept: dict[str, Alert] = {}
    for told in stream:
        if told.alert_id not in kept or told.revision > kept[told.alert_id].revision:
            kept[told.alert_id] = told
    return list(kept.values())


@settings(max_examples=300, deadline=None)
@given(log=logs(), events=INSIGHTS, data=st.data())
def test_records_of_both_topics_in_any_rhythm_come_to_the_batch_result(
    log: list[Session], events: list[InsightEvent], data: st.DataObject
) -> None:
    """Sessions and insight events come in records, some at a time, one topic overtaking the other. A crash leaves some
    outputs, or all and any first part of the last writes, or no state at all; then all is read again, else each topic
    goes back to any record before. What is read again is cut otherwise."""
    topics = {"sessions": cut(data, log), "insights": cut(data, data.draw(st.permutations(events + events[:1])))}
    read, committed = dict.fromkeys(topics, 0), dict.fromkeys(topics, 0)
    values: dict[str, bytes] = {}
    written: dict[str, bytes] = {}
    minutes: list[OccupancyMinute] = []
    merges: list[MergedInsight] = []
    alerts: list[Alert] = []
    crashes = data.draw(st.integers(0, 3))
    seconds = 1e6
    while left := [topic for topic in topics if read[topic] < len(topics[topic])]:
        on = Camera(CAMERA, values.get, window_seconds=300.0, gap=timedelta(seconds=60), written=written)
        for topic in data.draw(st.lists(st.sampled_from(left), min_size=1, max_size=3)):
            for record in topics[topic][read[topic] : read[topic] + 1]:
                read[topic] += 1
                if topic == "sessions":
                    on.on_sessions(
                        record,
                        revision=read[topic],
                        rules=[LONG_STAY, CROWD],
                        now=at(seconds),
                        processed_at=at(seconds),
                    )
                else:
                    on.on_insights(record, revision=read[topic])
        outputs = on.outputs(at(seconds))
        values.update(on.claim())
        writes = list(on.writes())
        if crashes and data.draw(st.booleans()):
            crashes -= 1
            written = {}
            seconds += 1
            delivered = data.draw(st.booleans())
            minutes += outputs.minutes[:: 1 if delivered else 2]
            merges += outputs.insights[:: 1 if delivered else 2]
            alerts += outputs.alerts[:: 1 if delivered else 2]
            values.update(writes[: data.draw(st.integers(0, len(writes))) if delivered else 0])
            if data.draw(st.booleans()):
                values.clear()
                committed = dict.fromkeys(topics, 0)
            read = dict(committed)
        else:
            minutes += outputs.minutes
            merges += outputs.insights
            alerts += outputs.alerts
            values.update(writes)
            for topic in topics:
                committed[topic] = data.draw(st.integers(committed[topic], read[topic]))
    sessions = last_active(log)
    expected = batch_merges(events, sessions)
    assert kept_minutes(minutes) == batch_minutes(sessions)
    assert kept_merges(merges, {field for row in expected.values() for field in row}) == expected
    # Two sessions of one subject at once, as this log has them, are one breach.
    sessions_of = Counter(subject for subject, _ in {(one.subject_id, one.session_id) for one in log})
    alone = [session for session in sessions if sessions_of[session.subject_id] == 1]
    wanted = batch_breaches(LONG_STAY, alone) | batch_breaches(CROWD, sessions)
    kept = kept_alerts(alerts)
    assert {alert.status for alert in kept} <= {"resolved"}
    told = {Breach(a.rule_id, a.camera_id, a.session_id, a.event_time, a.ended_at, a.measured) for a in kept}
    # What was told of a session or a crowd that came to something else stays, resolved.
    assert told >= wanted
