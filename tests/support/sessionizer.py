"""The sessionizer with a state table, fed by hand. Times are seconds after `T0`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.common import OTHER, stable_id
from services.common.events.sessions import Session
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
GAP = timedelta(seconds=60)
CAMERA = "cam-1"

Writes = list[tuple[str, bytes]]


def seen(
    key: str,
    start: float,
    end: float,
    person: str | None = None,
    *,
    poi: str | None = None,
    reported: float | None = None,
    age: str = OTHER,
    gender: str = OTHER,
) -> Appearance:
    return Appearance(
        appearance_key=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, poi, key),
        started_at=at(start),
        ended_at=at(end),
        reported_at=at(end if reported is None else reported),
        source="test",
        appearance_id=key,
        person_id=person,
        poi_id=poi,
        age_group=age,
        gender=gender,
    )


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Feed:
    """A state table, and what came out of the records put in; the n-th record has revision n."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.revision = 0

    def put(self, *reports: Appearance, gap: timedelta = GAP) -> list[Session]:
        self.revision += 1
        state = CameraState(self.values.get)
        sessions = step(state, reports, camera_id=CAMERA, gap=gap, revision=self.revision)
        self.values.update(state.writes())
        return sessions


def told(sessions: Sequence[Session]) -> list[tuple[str, str, float, float]]:
    """(status, subject, start, end) of the records, in order."""
    return [
        (
            session.status,
            session.subject_id,
            (session.started_at - T0).total_seconds(),
            (session.ended_at - T0).total_seconds(),
        )
        for session in sessions
    ]


def session_id(subject: str, first_key: str) -> str:
    return stable_id(CAMERA, subject, first_key)


def handle(values: dict[str, bytes], batch: list[list[Appearance]], offset: int) -> tuple[list[Session], Writes]:
    """One batch of records, as the agent does it: a step a record, then one write of the state."""
    state = CameraState(values.get)
    sessions: list[Session] = []
    for number, record in enumerate(batch, offset + 1):
        sessions += step(state, record, camera_id=CAMERA, gap=GAP, revision=number)
    return sessions, list(state.writes())
