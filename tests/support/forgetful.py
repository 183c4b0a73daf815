"""A processor that forgets: what it tells is right for what it still knows."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.sessions import Session, revision_after
from services.common.sessions import session_of, split

Known = dict[str, dict[str, MergedAppearance]]
"""subject → appearance_key → what is known of the appearance"""


class ForgetfulProcessor:
    """Of one camera. Records come out as the real one's do: absorbed ones before active ones, only what changed."""

    def __init__(self, camera_id: str, gap: timedelta) -> None:
        self._camera_id = camera_id
        self._gap = gap
        self._known: Known = {}
        self._subjects: dict[str, str] = {}
        self._forgotten: list[tuple[datetime, datetime]] = []

    def forget(self, subjects: Iterable[str] | None = None, *, aware: bool) -> None:
        """Forget the subjects, or everything; `aware` of when that was, so that records there come out as partial."""
        for subject in list(self._known) if subjects is None else [each for each in subjects if each in self._known]:
            gone = self._known.pop(subject)
            self._subjects = {key: of for key, of in self._subjects.items() if key not in gone}
            if aware:
                self._forgotten += [(seen.started_at, seen.ended_at) for seen in gone.values()]
        if not aware and subjects is None:
            self._forgotten.clear()

    def knows(self) -> list[str]:
        return sorted(self._known)

    def step(self, reports: Iterable[Appearance], offset: int) -> list[Session]:
        before = self._sessions(revision_after(offset))
        for report in map(MergedAppearance.of, reports):
            key = report.appearance_key
            old = self._known.get(self._subjects.get(key, f"track:{key}"), {})
            merged = old.pop(key).merge(report) if key in old else report
            self._known.setdefault(merged.subject_id, {})[key] = merged
            self._subjects[key] = merged.subject_id
        self._known = {subject: seen for subject, seen in self._known.items() if seen}
        after = self._sessions(revision_after(offset))
        absorbed = [
            replace(session, status="absorbed", partial=False) for key, session in before.items() if key not in after
        ]
        return absorbed + [session for key, session in after.items() if session != before.get(key)]

    def _sessions(self, revision: int) -> dict[str, Session]:
        return {session.session_id: session for session in self._all(revision)}

    def _all(self, revision: int) -> Iterator[Session]:
        for subject, seen in self._known.items():
            for group in split(seen.values(), self._gap):
                session = session_of(self._camera_id, subject, group, revision)
                yield replace(session, partial=self._near_forgotten(session))

    def _near_forgotten(self, session: Session) -> bool:
        return any(
            start - self._gap <= session.ended_at and session.started_at <= end + self._gap
            for start, end in self._forgotten
        )
