"""What occupancy, windows and rules need of a session, and its place in time."""

from datetime import UTC, datetime, timedelta

import msgspec

from services.common.events.sessions import Session

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SLOT = 15 * MINUTE
"""Sessions are found by the slots of time that they touch. Part of the state's layout."""


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


class Span(msgspec.Struct, frozen=True, array_like=True):
    """One version of a session; instants are microseconds since 1970, UTC.

    `reach` is the latest end that any version had: no slot after it holds a copy of the session.
    """

    session_id: str
    subject_id: str
    started_at: int
    ended_at: int
    reach: int
    revision: int
    active: bool

    @classmethod
    def of(cls, session: Session) -> "Span":
        ended_at = micros(session.ended_at)
        return cls(
            session_id=session.session_id,
            subject_id=session.subject_id,
            started_at=micros(session.started_at),
            ended_at=ended_at,
            reach=ended_at,
            revision=session.revision,
            active=session.status == "active",
        )

    @property
    def dwell_seconds(self) -> float:
        return (self.ended_at - self.started_at) / SECOND

    def within(self, slot: int) -> tuple[int, int, bool]:
        """As much as the slot tells: of an end beyond it only that it lies beyond."""
        return self.started_at, min(self.ended_at, (slot + 1) * SLOT), self.active
