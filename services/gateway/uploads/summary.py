"""What one file holds, by the formulas of the analytics, whatever else the system knows."""

from array import array
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import pandas as pd

from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.lanes import is_forensic
from services.gateway.models import UploadSummary

MAX_SUMMARISED = 500_000
"""Items; some 250 bytes each at the end, so that a worker stays within 400 MB."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000

_PERSON, _POI, _TRACK = 2, 1, 0


class SummaryBuilder:
    """Gathers compact columns chunk by chunk; gives none for a file above `MAX_SUMMARISED` items."""

    def __init__(self, zone: tzinfo, gap_seconds: Callable[[str], float]) -> None:
        self._zone = zone
        self._gap_seconds = gap_seconds
        self._cameras: dict[str, int] = {}
        self._subjects: dict[str, int] = {}
        self._insights: set[str] = set()
        self._span: tuple[datetime, datetime] | None = None
        self._columns = {name: array("q") for name in _COLUMNS}
        self.is_full = False

    def add_appearances(self, items: Iterable[Appearance]) -> None:
        if self.is_full:
            return
        key, camera, subject, named, start, end, reported = (self._columns[name] for name in _COLUMNS)
        for item in items:
            if is_forensic(item.extra):
                continue
            key.append(hash(item.appearance_key))
            camera.append(self._cameras.setdefault(item.camera_id, len(self._cameras)))
            subject.append(self._subjects.setdefault(item.subject_id, len(self._subjects)))
            named.append(_PERSON if item.person_id else _POI if item.poi_id else _TRACK)
            start.append((item.started_at - _EPOCH) // _MICROSECOND)
            end.append((item.ended_at - _EPOCH) // _MICROSECOND)
            reported.append((item.reported_at - _EPOCH) // _MICROSECOND)
        self._check_full(len(key))

    def add_insights(self, items: Iterable[InsightEvent]) -> None:
        if self.is_full:
            return
        for item in items:
            self._insights.add(item.insight_id)
            self._cameras.setdefault(item.camera_id, len(self._cameras))
            end = item.started_at + timedelta(seconds=item.duration_seconds)
            first, last = self._span or (item.started_at, end)
            self._span = (min(first, item.started_at), max(last, end))
        self._check_full(len(self._insights))

    def _check_full(self, items: int) -> None:
        if items > MAX_SUMMARISED:
            self.give_up()

    def give_up(self) -> None:
        self.is_full = True
        self._insights.clear()
        self._subjects.clear()
        self._columns = {name: array("q") for name in _COLUMNS}

    def build(self) -> UploadSummary | None:
        if self.is_full:
            return None
        reports = pd.DataFrame({name: np.frombuffer(column, np.int64) for name, column in self._columns.items()})
        if reports.empty:
            return UploadSummary(
                visitors=0,
                sessions=0,
                appearances=0,
                insights=len(self._insights),
                cameras=len(self._cameras),
                started_at=self._span and self._span[0],
                ended_at=self._span and self._span[1],
            )
        appearances = _merged(reports, list(self._subjects))
        gaps = np.array([round(self._gap_seconds(camera) * _SECOND) for camera in self._cameras], np.int64)
        sessions = _sessions(appearances, gaps)
        dwell = (sessions["end"] - sessions["start"]) / _SECOND
        starts = pd.to_datetime(sessions["start"], unit="us", utc=True).dt.tz_convert(self._zone)
        past_hour = (starts.dt.minute * 60 + starts.dt.second) * _SECOND + starts.dt.microsecond
        hours = (starts - pd.to_timedelta(past_hour, unit="us")).value_counts()
        return UploadSummary(
            visitors=sessions["subject"].nunique(),
            sessions=len(sessions),
            appearances=len(appearances),
            insights=0,
            cameras=len(self._cameras),
            dwell_avg_seconds=float(dwell.mean()),
            dwell_median_seconds=float(dwell.quantile(0.5)),
            dwell_p95_seconds=float(dwell.quantile(0.95)),
            dwell_max_seconds=float(dwell.max()),
            occupancy_peak=_peak(sessions["start"].to_numpy(), sessions["end"].to_numpy()),
            peak_hour=min(hours[hours == hours.max()].index),
            started_at=_instant(sessions["start"].min()),
            ended_at=_instant(sessions["end"].max()),
        )


_COLUMNS = ("key", "camera", "subject", "named", "start", "end", "reported")


def _merged(reports: pd.DataFrame, subjects: list[str]) -> pd.DataFrame:
    """One row an appearance: earliest start, latest end, and whom the latest of the reports that name it best names."""
    rank = np.empty(len(subjects), np.int64)
    rank[np.argsort(np.array(subjects, object), kind="stable")] = np.arange(len(subjects))
    reports["subject_rank"] = rank[reports["subject"]]
    reports = reports.sort_values(["camera", "key", "named", "reported", "subject_rank"])
    found = reports.groupby(["camera", "key"], sort=False)
    return found.agg(subject=("subject", "last"), start=("start", "min"), end=("end", "max")).reset_index()


def _sessions(appearances: pd.DataFrame, gaps: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pd.DataFrame:
    ordered = appearances.sort_values(["camera", "subject", "start"], ignore_index=True)
    person = ordered.groupby(["camera", "subject"], sort=False)
    latest_end = person["end"].cummax()
    is_first = person.cumcount() == 0
    apart = ordered["start"] - latest_end.shift(1, fill_value=0)
    opens = is_first | (apart > gaps[ordered["camera"]])
    found = ordered.groupby(opens.cumsum())
    return found.agg(subject=("subject", "first"), start=("start", "min"), end=("end", "max"))


def _peak(
    starts: "np.ndarray[tuple[int], np.dtype[np.int64]]", ends: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> int:
    """Most sessions at once over all cameras; ends come before starts at the same instant."""
    lasting = ends > starts
    at = np.concatenate([starts[lasting], ends[lasting]])
    change = np.repeat([1, -1], lasting.sum())
    levels = np.cumsum(change[np.lexsort((change, at))])
    return int(levels.max(initial=0))


def _instant(microseconds: int) -> datetime:
    return _EPOCH + int(microseconds) * _MICROSECOND
