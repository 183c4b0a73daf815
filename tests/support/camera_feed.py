"""Feeds the insights' core with records of one camera, without Kafka. Times are seconds after `T0`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec.structs import replace

from services.common.events.alerts import AlertRule
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session
from services.insights.domain.camera import Camera, Outputs

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAMERA = "cam-1"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seconds(instant: datetime) -> float:
    return (instant - T0).total_seconds()


def session(
    session_id: str,
    start: float,
    end: float,
    subject: str | None = None,
    *,
    status: Literal["active", "absorbed"] = "active",
) -> Session:
    """A session of a subject of its own, unless one is named; the feed gives the revision."""
    return Session(
        session_id=session_id,
        camera_id=CAMERA,
        subject_id=subject or f"subject-{session_id}",
        started_at=at(start),
        ended_at=at(end),
        dwell_seconds=end - start,
        visible_seconds=end - start,
        appearance_count=1,
        age_group="other",
        gender="other",
        status=status,
        revision=0,
        absorbed_into="another" if status == "absorbed" else None,
    )


def insight(
    insight_id: str, start: float, duration: float = 0.0, subject: str | None = None, **fields: Any
) -> InsightEvent:
    fields = {"kind": "crowd", "reported_at": at(start), "source": "test", **fields}
    return InsightEvent(
        insight_id=insight_id,
        camera_id=CAMERA,
        started_at=at(start),
        duration_seconds=duration,
        subject_id=subject,
        **fields,
    )


class CameraFeed:
    """A state table, and what came out of the records put in; session records count up from revision 1."""

    def __init__(self, rules: Sequence[AlertRule] = (), gap: float = 60.0, window: float = 300.0) -> None:
        self.values: dict[str, bytes] = {}
        self.written: dict[str, bytes] = {}
        self.rules = list(rules)
        self.gap = timedelta(seconds=gap)
        self.window = window
        self.sessions_revision = 0
        self.insights_revision = 0

    def camera(self) -> Camera:
        return Camera(CAMERA, self.values.get, window_seconds=self.window, gap=self.gap, written=self.written)

    def sessions(self, *sessions: Session, now: float = 1e6) -> Outputs:
        """Put one session record; the time of day is long after, as in an upload of history, unless told."""
        revision = self.sessions_revision + 1
        return self.put(*(replace(one, revision=revision) for one in sessions), now=now)

    def put(self, *sessions: Session, now: float = 1e6) -> Outputs:
        """The same with the revisions that the sessions have."""
        self.sessions_revision += 1
        camera = self.camera()
        camera.on_sessions(
            sessions, revision=self.sessions_revision, rules=self.rules, now=at(now), processed_at=at(now)
        )
        return self._settled(camera, now)

    def insights(self, *events: InsightEvent) -> list[MergedInsight]:
        camera = self.camera()
        self.insights_revision += 1
        camera.on_insights(events, revision=self.insights_revision)
        return self._settled(camera, 0).insights

    def time(self, now: float) -> Outputs:
        camera = self.camera()
        camera.on_time(rules=self.rules, now=at(now))
        return self._settled(camera, now)

    def _settled(self, camera: Camera, now: float) -> Outputs:
        outputs = camera.outputs(at(now))
        self.values.update([*camera.claim(), *camera.writes()])
        return outputs


def minutes(told: Sequence[OccupancyMinute]) -> list[tuple[float, float, int, int, int]]:
    """(minute, average, peak, entries, exits), the minute as a number after `T0`."""
    return [(seconds(one.minute) / 60, one.occupancy_avg, one.occupancy_peak, one.entries, one.exits) for one in told]
