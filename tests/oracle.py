"""The oracle: what the whole system must come to, computed in one batch from everything that was accepted.

Written from the definitions of the domain and never from a service's code: plain, slow, and easy to check by eye.
Times are UTC timestamps with microseconds. Reports → appearances → sessions → occupancy, merged insights, numbers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from services.common.events.common import OTHER, canonical_json, stable_id

REPORT_FIELDS = (
    "appearance_key", "camera_id", "person_id", "poi_id", "started_at", "ended_at", "reported_at",
    "age_group", "gender", "camera_group",
)  # fmt: skip
INSIGHT_FIELDS = ("insight_id", "kind", "camera_id", "started_at", "reported_at", "duration_seconds", "subject_id")
TIME_FIELDS = ("started_at", "ended_at", "reported_at")

MINUTE = pd.Timedelta(minutes=1)
BASELINE = pd.Timedelta(minutes=60)

Interval = tuple[pd.Timestamp, pd.Timestamp]


def reports(accepted: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Accepted appearance reports in order, as `Appearance` events in JSON or as dictionaries of the same fields."""
    return _frame(_standing(accepted, ("camera_id", "appearance_key")), REPORT_FIELDS)


def insight_events(accepted: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Accepted insight events, one row an `insight_id`: the latest report holds, of one time the greater JSON."""
    latest: dict[str, Mapping[str, Any]] = {}
    standing = _standing(accepted, ("insight_id",))
    for event in sorted(standing, key=lambda event: (pd.Timestamp(event["reported_at"]), canonical_json(event))):
        latest[event["insight_id"]] = event
    return _frame(list(latest.values()), INSIGHT_FIELDS)


def _standing(accepted: Sequence[Mapping[str, Any]], identity: Sequence[str]) -> list[Mapping[str, Any]]:
    """The reports that nobody took back: a withdrawn one cancels what its origin, the source without the row, reported
    of the same thing before."""
    cancelled: set[tuple[Any, ...]] = set()
    standing = []
    for report in reversed(accepted):
        of = (*(report[field] for field in identity), report.get("source", "").split("#")[0])
        if report.get("withdrawn", False):
            cancelled.add(of)
        elif of not in cancelled:
            standing.append(report)
    return standing[::-1]


def appearances(reports: pd.DataFrame) -> pd.DataFrame:
    """One row an identity: earliest start, latest end, demographics of the latest report, the person if ever named."""
    rows = []
    for (camera_id, key), told in _groups(reports, "camera_id", "appearance_key"):
        latest = max(
            told, key=lambda r: (r.reported_at, canonical_json({"age_group": r.age_group, "gender": r.gender}))
        )
        rows.append(
            {
                "camera_id": camera_id,
                "appearance_key": key,
                "subject_id": _subject(told, key),
                "started_at": min(report.started_at for report in told),
                "ended_at": max(report.ended_at for report in told),
                "age_group": latest.age_group,
                "gender": latest.gender,
            }
        )
    return pd.DataFrame(rows)


def _subject(told: Sequence[Any], key: str) -> str:
    persons = [(report.reported_at, report.person_id) for report in told if report.person_id]
    pois = [(report.reported_at, report.poi_id) for report in told if report.poi_id]
    if persons:
        return str(max(persons)[1])
    return f"poi:{max(pois)[1]}" if pois else f"track:{key}"


def sessions(
    appearances: pd.DataFrame, gap_seconds: float = 60.0, gap_overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Runs of appearances of one subject at one camera, each starting at most the gap after the latest end so far."""
    rows = []
    for (camera_id, _), group in _groups(appearances, "camera_id", "subject_id"):
        gap = pd.Timedelta(seconds=(gap_overrides or {}).get(camera_id, gap_seconds))
        ordered = sorted(group, key=lambda seen: (seen.started_at, seen.appearance_key))
        run = [ordered[0]]
        for seen in ordered[1:]:
            if seen.started_at - max(other.ended_at for other in run) > gap:
                rows.append(_session(run))
                run = []
            run.append(seen)
        rows.append(_session(run))
    return pd.DataFrame(rows)


def _session(run: Sequence[Any]) -> dict[str, Any]:
    first = run[0]
    ended_at = max(seen.ended_at for seen in run)
    return {
        "session_id": stable_id(first.camera_id, first.subject_id, first.appearance_key),
        "camera_id": first.camera_id,
        "subject_id": first.subject_id,
        "started_at": first.started_at,
        "ended_at": ended_at,
        "dwell_seconds": _seconds(ended_at - first.started_at),
        "visible_seconds": _union_seconds([(seen.started_at, seen.ended_at) for seen in run]),
        "appearance_count": len(run),
        "age_group": _latest_known(run, "age_group"),
        "gender": _latest_known(run, "gender"),
    }


def _union_seconds(by_start: Sequence[Interval]) -> float:
    covered = pd.Timedelta(0)
    until = by_start[0][0]
    for start, end in by_start:
        covered += max(end - max(start, until), pd.Timedelta(0))
        until = max(until, end)
    return _seconds(covered)


def _seconds(length: pd.Timedelta) -> float:
    # Python's division is the correctly rounded one; pandas' own total_seconds is off by a bit now and then.
    return length.to_pytimedelta().total_seconds()


def _latest_known(run: Sequence[Any], field: str) -> str:
    known = [
        (seen.ended_at, seen.appearance_key, getattr(seen, field)) for seen in run if getattr(seen, field) != OTHER
    ]
    return str(max(known)[2]) if known else OTHER


def occupancy_at(intervals: Iterable[Interval], t: pd.Timestamp) -> int:
    """Sessions with ``started_at <= t < ended_at``."""
    return sum(start <= t < end for start, end in intervals)


def occupancy_peak(intervals: Sequence[Interval], first: pd.Timestamp, points: Iterable[pd.Timestamp]) -> int:
    """Most sessions at once. Occupancy only rises where a session starts: looking at `first` and those is enough."""
    return max(occupancy_at(intervals, t) for t in (first, *points))


def overlap(intervals: Iterable[Interval], start: pd.Timestamp, end: pd.Timestamp) -> pd.Timedelta:
    return sum((max(min(e, end) - max(s, start), pd.Timedelta(0)) for s, e in intervals), pd.Timedelta(0))


def occupancy_minutes(sessions: pd.DataFrame) -> pd.DataFrame:
    """Per camera and minute that holds any part of a session: average, peak, entries, exits."""
    touching: dict[tuple[str, pd.Timestamp], list[Interval]] = {}
    for session in _rows(sessions):
        minute = session.started_at.floor("min")
        while minute <= session.ended_at:
            touching.setdefault((session.camera_id, minute), []).append((session.started_at, session.ended_at))
            minute += MINUTE
    rows = []
    for (camera_id, minute), intervals in sorted(touching.items()):
        end = minute + MINUTE
        starts = [s for s, _ in intervals if minute <= s < end]
        rows.append(
            {
                "camera_id": camera_id,
                "minute": minute,
                "occupancy_avg": overlap(intervals, minute, end) / MINUTE,
                "occupancy_peak": occupancy_peak(intervals, minute, starts),
                "entries": len(starts),
                "exits": sum(minute <= e < end for _, e in intervals),
            }
        )
    return pd.DataFrame(rows)


def merged_insights(insights: pd.DataFrame, sessions: pd.DataFrame, window_seconds: float = 300.0) -> pd.DataFrame:
    """Each insight event with the occupancy of its camera in ``[started_at - W, started_at + duration + W]``.

    A session is in the window if it is there at some instant of it, the last included; one of no length is where it
    starts. Of a known subject's sessions that touch the event the one that overlaps it longest counts, then the
    earliest.
    """
    margin = pd.Timedelta(seconds=window_seconds)
    rows = []
    for event in _rows(insights):
        event_end = event.started_at + pd.Timedelta(seconds=event.duration_seconds or 0.0).round("us")
        begin, end = event.started_at - margin, event_end + margin
        of_camera = [session for session in _rows(sessions) if session.camera_id == event.camera_id]
        intervals = [(session.started_at, session.ended_at) for session in of_camera]
        inside = [(s, e) for s, e in intervals if s <= end and (e > begin or s == e == begin)]
        own = min(
            (
                (-overlap([(s.started_at, s.ended_at)], event.started_at, event_end), s.started_at, s.session_id, s)
                for s in of_camera
                if s.subject_id == event.subject_id and s.started_at <= event_end and s.ended_at >= event.started_at
            ),
            default=None,
        )
        rows.append(
            {
                "insight_id": event.insight_id,
                "kind": event.kind,
                "camera_id": event.camera_id,
                "window_started_at": begin,
                "window_ended_at": end,
                "occupancy_at_event": occupancy_at(intervals, event.started_at),
                "occupancy_peak": occupancy_peak(intervals, begin, [s for s, _ in intervals if begin <= s <= end]),
                "occupancy_avg": overlap(intervals, begin, end) / (end - begin),
                "baseline_avg": overlap(intervals, begin - BASELINE, begin) / BASELINE,
                "sessions_in_window": len(inside),
                "session_id": own[-1].session_id if own else None,
                "session_dwell_seconds": own[-1].dwell_seconds if own else None,
                "match": "matched" if inside else "no_occupancy",
            }
        )
    return pd.DataFrame(rows)


def summary(
    sessions: pd.DataFrame,
    stores: Mapping[str, str] | None = None,
    zone: str = "UTC",
    waiting_seconds: float = 600.0,
) -> dict[str, Any]:
    """The numbers of the cards over all the sessions given; `stores` maps a camera to its group where it has one."""
    local = sessions["started_at"].dt.tz_convert(zone)
    store = [(stores or {}).get(camera_id) or camera_id for camera_id in sessions["camera_id"]]
    visits = set(zip(sessions["subject_id"], store, local.dt.date, strict=True))
    days = Counter((subject, place) for subject, place, _ in visits)
    subjects = set(sessions["subject_id"])
    intervals = [(session.started_at, session.ended_at) for session in _rows(sessions)]
    dwell = sessions["dwell_seconds"]
    hours = _hour_starts(sessions["started_at"], zone).value_counts()
    return {
        "visitors": len(subjects),
        "visitors_anonymous": sum(subject.startswith("track:") for subject in subjects),
        "visits": len(visits),
        "sessions": len(sessions),
        "appearances": int(sessions["appearance_count"].sum()),
        "dwell_avg_seconds": float(dwell.mean()),
        "dwell_median_seconds": float(dwell.quantile(0.5)),
        "dwell_p95_seconds": float(dwell.quantile(0.95)),
        "dwell_max_seconds": float(dwell.max()),
        "occupancy_peak": _sweep(intervals),
        "peak_hour": min(hours[hours == hours.max()].index),
        "repeat_visitors": len({subject for (subject, _), n in days.items() if n >= 2}),
        "waiting_violations": sessions.loc[dwell > waiting_seconds, "subject_id"].nunique(),
    }


def _hour_starts(instants: "pd.Series[pd.Timestamp]", zone: str) -> "pd.Series[pd.Timestamp]":
    """The instants at which the zone's clock showed the full hour last; an hour that a clock repeats is two hours."""
    starts = []
    for instant in instants:
        local = instant.tz_convert(zone)
        starts.append(instant.floor("s") - pd.Timedelta(minutes=local.minute, seconds=local.second))
    return pd.Series(starts)


def _sweep(intervals: Iterable[Interval]) -> int:
    """Most sessions at once, ends before starts at the same instant."""
    steps = sorted([(start, 1) for start, end in intervals if end > start] + [(e, -1) for s, e in intervals if e > s])
    now = peak = 0
    for _, step in steps:
        now += step
        peak = max(peak, now)
    return peak


def dwell_histogram(sessions: pd.DataFrame, edges: Sequence[float]) -> list[int]:
    """Sessions per bin ``[edge, next edge)``; the last bin has no end."""
    dwell = sessions["dwell_seconds"]
    ends = [*edges[1:], float("inf")]
    return [int(((dwell >= start) & (dwell < end)).sum()) for start, end in zip(edges, ends, strict=True)]


def _frame(accepted: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> pd.DataFrame:
    # Objects, so that an absent name stays None and does not turn into a number.
    columns = {field: pd.Series([event.get(field) for event in accepted], dtype=object) for field in fields}
    for field in set(fields).intersection(TIME_FIELDS):
        columns[field] = pd.to_datetime(columns[field], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return pd.DataFrame(columns)


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def _groups(frame: pd.DataFrame, *columns: str) -> list[tuple[tuple[str, ...], list[Any]]]:
    """The rows by the values of the columns, in order of these."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in _rows(frame):
        found.setdefault(tuple(getattr(row, column) for column in columns), []).append(row)
    return sorted(found.items())
