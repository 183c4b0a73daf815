"""What the vendor keeps: the latest report of every track, which is its history; and the truth that follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from services.common.events.common import OTHER, isoformat
from services.ingest.simulator.feed import Report
from services.ingest.simulator.shapes import Shapes, is_decided, poi_of
from services.ingest.simulator.shop import UNDECIDED, Crowd

MAX_FINISHED = 1_000_000
"""Of finished tracks the newest so many are kept: some 500 MB."""

Database = Literal["history_db", "live_db"]


WindowOf = Literal["seen_at", "started_at", "sent_at"]


@dataclass(frozen=True, slots=True)
class Query:
    """Tracks whose time `window_of` lies in ``[since, until]``; no camera means every camera. A page begins after
    `after_id`."""

    database: Database
    since: datetime | None = None
    until: datetime | None = None
    cameras: frozenset[str] = frozenset()
    tracks: frozenset[str] = frozenset()
    after_id: str | None = None
    limit: int = 100
    window_of: WindowOf = "seen_at"

    def holds(self, track_id: str, report: Report) -> bool:
        at: datetime = getattr(report, self.window_of)
        return (
            (self.since is None or at >= self.since)
            and (self.until is None or at <= self.until)
            and (not self.cameras or report.sighting.camera.camera_id in self.cameras)
            and (not self.tracks or track_id in self.tracks)
        )


class Records:
    """Running tracks in the order of their numbers, finished ones in the order in which they closed."""

    def __init__(self, max_finished: int = MAX_FINISHED) -> None:
        self._max_finished = max_finished
        self._running: dict[str, Report] = {}
        self._finished: dict[str, Report] = {}
        self._order: list[str] = []
        self._places: dict[str, int] = {}

    def get(self, track_id: str) -> Report | None:
        return self._running.get(track_id) or self._finished.get(track_id)

    def keep(self, track_id: str, report: Report) -> None:
        """A report that ends before it starts, or before what is known, tells nothing; the last closes the track."""
        known = self.get(track_id)
        if report.sent_at >= report.started_at and (known is None or report.sent_at >= known.sent_at):
            known = report
        if known is None:
            return
        if not report.is_last and track_id not in self._finished:
            self._running[track_id] = known
            return
        self._running.pop(track_id, None)
        if track_id not in self._finished:
            self._places[track_id] = len(self._order)
            self._order.append(track_id)
        self._finished[track_id] = known
        if len(self._order) > self._max_finished:
            self._forget(self._max_finished // 10 or 1)

    def find(self, query: Query) -> list[tuple[str, Report]]:
        found = self._finished_after if query.database == "history_db" else self._running_after
        return list(islice((each for each in found(query.after_id) if query.holds(*each)), query.limit))

    def truth(self) -> Iterator[tuple[str, Report]]:
        yield from self._finished.items()
        yield from self._running.items()

    def _finished_after(self, track_id: str | None) -> Iterator[tuple[str, Report]]:
        first = 0 if track_id is None else self._places.get(track_id, -1) + 1
        for place in range(first, len(self._order)):
            yield self._order[place], self._finished[self._order[place]]

    def _running_after(self, track_id: str | None) -> Iterator[tuple[str, Report]]:
        """Also when that track has closed since."""
        known = None if track_id is None else self.get(track_id)
        after = known.sighting.number if known else 0
        running = sorted(self._running.items(), key=lambda each: each[1].sighting.number)
        return (each for each in running if each[1].sighting.number > after)

    def _forget(self, count: int) -> None:
        for track_id in self._order[:count]:
            del self._finished[track_id]
        del self._order[:count]
        self._places = {track_id: place for place, track_id in enumerate(self._order)}


def true_appearance(track_id: str, report: Report, shapes: Shapes, *, named: bool) -> dict[str, Any]:
    """The appearance as every report of it together tells it, by the names of the contract."""
    person = report.sighting.person
    known = is_decided(report) and person.gender != UNDECIDED
    return {
        "appearance_key": track_id,
        "camera_id": report.sighting.camera.camera_id,
        "person_id": shapes.person_id(person) if named else None,
        "poi_id": poi_of(report),
        "started_at": isoformat(report.started_at),
        "ended_at": isoformat(report.sent_at),
        "reported_at": isoformat(report.sent_at),
        "age_group": person.age_group if known else OTHER,
        "gender": person.gender if known else OTHER,
        "camera_group": report.sighting.camera.camera_group,
        "source": "corsight:simulator",
    }


def true_insight(insight_id: str, crowd: Crowd) -> dict[str, Any]:
    return {
        "insight_id": insight_id,
        "kind": "crowd",
        "camera_id": crowd.camera.camera_id,
        "started_at": isoformat(crowd.started_at),
        "reported_at": isoformat(crowd.sent_at),
        "duration_seconds": crowd.duration_seconds,
        "subject_id": None,
        "source": "corsight:simulator",
    }
