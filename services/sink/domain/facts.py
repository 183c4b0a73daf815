"""What is stored, as far as it takes to judge session records and to put them right."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from services.common.events.appearances import MergedAppearance
from services.common.events.sessions import Session

GapOf = Callable[[str], timedelta]
"""camera_id → the longest absence that does not end a session"""


class Span(Struct, frozen=True, order=True):
    """A stretch of one subject's time at one camera."""

    camera_id: str
    subject_id: str
    started_at: datetime
    ended_at: datetime

    @classmethod
    def of(cls, session: Session) -> "Span":
        return cls(session.camera_id, session.subject_id, session.started_at, session.ended_at)


class Check(Struct, frozen=True):
    """A span to look at once the session records of its camera have come to the revision.

    Where something was withdrawn, whatever is told about the span before may still count it.
    """

    span: Span
    revision: int
    withdrawn: bool = False


class Facts(Protocol):
    """What is stored. Lists answer the spans one by one, in their order."""

    async def sessions_touching(self, spans: Sequence[Span]) -> list[list[Session]]:
        """The subject's active sessions that lie at most the camera's gap away."""
        ...

    async def appearances_in(self, spans: Sequence[Span]) -> list[list[MergedAppearance]]:
        """The subject's appearances that start within the span, or at most the camera's gap after it."""
        ...

    async def sessions_by_id(self, session_ids: Collection[str]) -> list[Session]: ...

    async def doubted(self, session_ids: Collection[str]) -> set[str]:
        """The ids of those that were in doubt before."""
        ...

    async def contradicted(self, records: Sequence[Session]) -> list[Session]:
        """Those of the active records that do not fit what is stored.

        Another active session of the subject lies at most the gap away, or as many appearances as the record counts
        are not there between its start and the gap after its end, of those first told at most at its revision, or
        something within the gap was withdrawn and the check of that is still to come.
        """
        ...

    async def checks_due(self, reached: Mapping[str, int]) -> list[Span]:
        """The spans left to be looked at once the camera's records reach a revision; they are given once."""
        ...

    async def add(self, sessions: Sequence[Session]) -> None:
        """Store them; nothing is stored of their ids."""
        ...

    async def put(self, sessions: Sequence[Session]) -> None:
        """Store them in place of what there is of their ids with a lower revision."""
        ...

    async def doubt(self, session_ids: Collection[str]) -> None:
        """Have them among the doubted, for good."""
        ...
