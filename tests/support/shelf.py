"""The sink's tables in memory, to try what it repairs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.sessions import Session
from services.sink.domain.facts import Check, Span
from services.sink.domain.reports import ByOrigin, Change, Told, change, checks, standing, unheard, united
from services.sink.domain.rows import AppearanceRow
from tests.support.stored import SESSION, Rows, keyed, sessions_of

GAP = timedelta(seconds=60)


def gap_of(_: str) -> timedelta:
    return GAP


class Shelf:
    """The sink's tables in memory."""

    def __init__(self) -> None:
        self.appearances: dict[str, AppearanceRow] = {}
        self.by_origin: dict[str, ByOrigin] = {}
        self.sessions: dict[str, Session] = {}
        self.doubted_ids: set[str] = set()
        self.checks: list[Check] = []

    def report(self, reports: Sequence[tuple[int, Appearance]]) -> list[Span]:
        """Returns the spans to look at at once."""
        by_key: dict[str, list[Told]] = {}
        for revision, report in reports:
            by_key.setdefault(report.appearance_key, []).append((report, revision))
        withdrawn: list[Span] = []
        changes: list[Change] = []
        for key, told in by_key.items():
            known = self.by_origin.get(key, {})
            self.by_origin[key] = standing(known, told)
            before = self.appearances.pop(key, None)
            if now := united(self.by_origin[key]):
                self.appearances[key] = now
            found = checks(known, told, now)
            self.checks += found
            withdrawn += [check.span for check in found if check.withdrawn]
            if before and now and (changed := change(before, told, now)):
                changes.append(changed)
        return withdrawn + unheard(changes, [span for each in changes for span in each if self._doubted(span)])

    def _doubted(self, span: Span) -> bool:
        return any(
            each.started_at <= span.ended_at
            and each.ended_at >= span.started_at
            and each.session_id in self.doubted_ids
            for each in self._active(span)
        )

    async def sessions_by_id(self, session_ids: Collection[str]) -> list[Session]:
        return [self.sessions[each] for each in session_ids if each in self.sessions]

    async def sessions_touching(self, spans: Sequence[Span]) -> list[list[Session]]:
        return [[each for each in self._active(span) if _touch(each, span)] for span in spans]

    async def appearances_in(self, spans: Sequence[Span]) -> list[list[MergedAppearance]]:
        return [[row.merged for row in self._starting_near(span)] for span in spans]

    async def doubted(self, session_ids: Collection[str]) -> set[str]:
        return self.doubted_ids & set(session_ids)

    async def doubt(self, session_ids: Collection[str]) -> None:
        assert self.sessions.keys() >= set(session_ids)
        self.doubted_ids |= set(session_ids)

    async def contradicted(self, records: Sequence[Session]) -> list[Session]:
        return [each for each in records if self._contradicts(each)]

    async def checks_due(self, reached: Mapping[str, int]) -> list[Span]:
        due = [check for check in self.checks if check.revision <= reached.get(check.span.camera_id, -1)]
        self.checks = [check for check in self.checks if check not in due]
        return [check.span for check in due]

    async def add(self, sessions: Sequence[Session]) -> None:
        assert not self.sessions.keys() & {each.session_id for each in sessions}
        await self.put(sessions)

    async def put(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            known = self.sessions.get(session.session_id)
            if known is None or session.revision > known.revision:
                self.sessions[session.session_id] = replace(session, partial=False)

    def _contradicts(self, told: Session) -> bool:
        others = [each for each in self._active(told) if each.session_id != told.session_id]
        before = max((each for each in others if each.started_at <= told.started_at), key=_start, default=None)
        after = min((each for each in others if each.started_at > told.started_at), key=_start, default=None)
        known = [row for row in self._starting_near(told) if row.first_revision <= told.revision]
        withdrawn = [
            check.span for check in self.checks if check.withdrawn and check.span.subject_id == told.subject_id
        ]
        return bool(
            any(_touch(told, span) for span in withdrawn)
            or (before and before.ended_at >= told.started_at - GAP)
            or (after and after.started_at <= told.ended_at + GAP)
            or len(known) != told.appearance_count
        )

    def _active(self, of: Session | Span) -> list[Session]:
        return [each for each in self.sessions.values() if each.status == "active" and each.subject_id == of.subject_id]

    def _starting_near(self, span: Session | Span) -> list[AppearanceRow]:
        return [
            row
            for row in self.appearances.values()
            if row.merged.subject_id == span.subject_id
            and span.started_at <= row.merged.started_at <= span.ended_at + GAP
        ]


def _start(session: Session) -> datetime:
    return session.started_at


def _touch(session: Session, span: Span) -> bool:
    return session.started_at <= span.ended_at + GAP and session.ended_at >= span.started_at - GAP


def right(reports: Sequence[Appearance]) -> Rows:
    return sessions_of(reports, GAP)


def active(shelf: Shelf) -> Rows:
    rows: list[Any] = [msgspec.structs.asdict(each) for each in shelf.sessions.values() if each.status == "active"]
    return keyed(rows, SESSION)
