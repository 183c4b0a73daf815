"""A processor that forgets, and a sink that puts right what it tells: together they come to what the oracle says."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance, subject_id_of
from services.common.events.common import OTHER
from services.common.events.sessions import Session, appearances_before, revision_after
from services.common.sessions import session_of
from services.sink.domain.repair import Check, Span, settle
from services.sink.domain.reports import ByOrigin, Told, checks, standing, united
from services.sink.domain.rows import AppearanceRow
from tests import oracle
from tests.support.forgetful import ForgetfulProcessor
from tests.support.stored import SESSION, Rows, expected, keyed

T0 = datetime(2026, 3, 2, tzinfo=UTC)
GAP = timedelta(seconds=60)
CAMERA = "cam-1"


def gap_of(_: str) -> timedelta:
    return GAP


class Shelf:
    """The sink's tables in memory."""

    def __init__(self) -> None:
        self.appearances: dict[str, AppearanceRow] = {}
        self.by_origin: dict[str, ByOrigin] = {}
        self.sessions: dict[str, Session] = {}
        self.checks: list[Check] = []

    def report(self, reports: Sequence[tuple[int, Appearance]]) -> list[Span]:
        """Returns the spans about which something was withdrawn."""
        by_key: dict[str, list[Told]] = {}
        for revision, report in reports:
            by_key.setdefault(report.appearance_key, []).append((report, revision))
        withdrawn: list[Span] = []
        for key, told in by_key.items():
            known = self.by_origin.get(key, {})
            self.by_origin[key] = standing(known, told)
            self.appearances.pop(key, None)
            if now := united(self.by_origin[key]):
                self.appearances[key] = now
            found = checks(known, told, now)
            self.checks += found
            withdrawn += [check.span for check in found if check.withdrawn]
        return withdrawn

    async def sessions_by_id(self, session_ids: Collection[str]) -> list[Session]:
        return [self.sessions[each] for each in session_ids if each in self.sessions]

    async def sessions_touching(self, spans: Sequence[Span]) -> list[list[Session]]:
        return [[each for each in self._active(span) if _touch(each, span)] for span in spans]

    async def appearances_in(self, spans: Sequence[Span]) -> list[list[MergedAppearance]]:
        return [[row.merged for row in self._starting_in(span, GAP)] for span in spans]

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
        known = [row for row in self._starting_in(told) if row.first_revision <= told.revision]
        withdrawn = [
            check.span for check in self.checks if check.withdrawn and check.span.subject_id == told.subject_id
        ]
        return bool(
            any(span.subject_id == told.subject_id and _touch(told, span) for span in withdrawn)
            or (before and before.ended_at >= told.started_at - GAP)
            or (after and after.started_at <= told.ended_at + GAP)
            or len(known) != told.appearance_count
        )

    def _active(self, of: Session | Span) -> list[Session]:
        return [each for each in self.sessions.values() if each.status == "active" and each.subject_id == of.subject_id]

    def _starting_in(self, span: Session | Span, margin: timedelta = timedelta(0)) -> list[AppearanceRow]:
        return [
            row
            for row in self.appearances.values()
            if row.merged.subject_id == span.subject_id
            and span.started_at <= row.merged.started_at <= span.ended_at + margin
        ]


def _start(session: Session) -> datetime:
    return session.started_at


def _touch(session: Session, span: Span) -> bool:
    return session.started_at <= span.ended_at + GAP and session.ended_at >= span.started_at - GAP


def right(reports: Sequence[Appearance]) -> Rows:
    accepted = [msgspec.to_builtins(report) for report in reports]
    return expected(oracle.sessions(oracle.appearances(oracle.reports(accepted)), GAP.total_seconds()), SESSION)


def active(shelf: Shelf) -> Rows:
    rows: list[Any] = [msgspec.structs.asdict(each) for each in shelf.sessions.values() if each.status == "active"]
    return keyed(rows, SESSION)


@st.composite
def a_report(draw: st.DrawFn) -> Appearance:
    """Few keys, people and instants, so that reports meet: same key, exact gaps, bridges and moves are all common."""
    key = f"k{draw(st.integers(0, 7))}"
    start = draw(st.integers(0, 20)) * 30
    started_at = T0 + timedelta(seconds=start, microseconds=draw(st.sampled_from([0, 0, 0, 1])))
    person = draw(st.sampled_from([None, None, "ann", "bob"]))
    poi = draw(st.sampled_from([None, None, None, "7"]))
    return Appearance(
        appearance_key=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, poi, key),
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=draw(st.sampled_from([0, 1, 30, 90]))),
        reported_at=T0 + timedelta(seconds=draw(st.integers(0, 3))),
        source="test",
        person_id=person,
        poi_id=poi,
        age_group=draw(st.sampled_from([OTHER, "adult", "teen"])),
        gender=draw(st.sampled_from([OTHER, "male"])),
    )


@st.composite
def told(draw: st.DrawFn) -> tuple[list[list[Appearance]], list[Session]]:
    """Records of reports, each at the offset of its index, and the records that a forgetful processor makes of them."""
    records = draw(st.lists(st.lists(a_report(), min_size=1, max_size=3), min_size=1, max_size=8))
    processor = ForgetfulProcessor(CAMERA, GAP)
    sessions: list[Session] = []
    for offset, record in enumerate(records):
        match draw(st.sampled_from(["", "", "some", "all"])):
            case "some":
                subjects = draw(st.lists(st.sampled_from(processor.knows()), unique=True)) if processor.knows() else []
                processor.forget(subjects, aware=draw(st.booleans()))
            case "all":
                processor.forget(aware=draw(st.booleans()))
        sessions += processor.step(record, offset)
    return records, sessions


class TestForgetfulProcessor:
    @settings(max_examples=300, deadline=None)
    @given(told(), st.data())
    def test_whatever_it_forgets_the_sink_comes_to_what_the_oracle_says(
        self, told: tuple[list[list[Appearance]], list[Session]], data: st.DataObject
    ) -> None:
        records, sessions = told
        shelf = Shelf()
        stored = 0
        pending = list(sessions)
        while pending:
            batch = pending[: data.draw(st.integers(1, 5))]
            pending = pending[len(batch) :]
            needed = max(appearances_before(each.revision) for each in batch)
            ahead = data.draw(st.integers(max(stored, needed), len(records)))
            shelf.report(
                [(revision_after(offset), each) for offset in range(stored, ahead) for each in records[offset]]
            )
            stored = ahead
            if data.draw(st.booleans()):
                batch += data.draw(st.permutations(batch))
            repaired = asyncio.run(settle(shelf, batch, gap_of))
            # What was told about the repair comes back, and what a record before said may be told again.
            assert asyncio.run(settle(shelf, repaired, gap_of)) == []
        shelf.report(
            [(revision_after(offset), each) for offset in range(stored, len(records)) for each in records[offset]]
        )
        reports = [each for record in records for each in record]
        assert active(shelf) == right(reports)
        # Where somebody may still believe an earlier record, he is told again; and that is the end of it.
        again = asyncio.run(settle(shelf, sessions, gap_of))
        assert asyncio.run(settle(shelf, again, gap_of)) == []
        assert active(shelf) == right(reports)


SEEN = Appearance(
    appearance_key="k",
    camera_id=CAMERA,
    subject_id="track:k",
    started_at=T0,
    ended_at=T0 + timedelta(seconds=30),
    reported_at=T0,
    source="upload:1#1",
)
LATER = replace(SEEN, started_at=T0 + timedelta(hours=1), ended_at=T0 + timedelta(hours=1, seconds=30))


def of(
    report: Appearance, revision: int, status: Literal["active", "absorbed"] = "active", *, partial: bool = False
) -> Session:
    """What a processor tells that knows of this report alone."""
    alone = session_of(CAMERA, report.subject_id, [MergedAppearance.of(report)], revision)
    return replace(alone, status=status, partial=partial)


class TestWithdrawn:
    def test_a_repaired_record_that_is_read_again_hides_nothing_that_was_said_before_it(self) -> None:
        shelf = Shelf()
        shelf.report([(14, SEEN)])
        asyncio.run(shelf.add([of(SEEN, 17, "absorbed")]))
        asyncio.run(settle(shelf, [of(SEEN, 14, partial=True), of(SEEN, 15)], gap_of))
        assert active(shelf) == right([SEEN])

    def test_where_a_partial_record_lies_elsewhere_the_session_is_told_to_be_gone_there(self) -> None:
        shelf = Shelf()
        shelf.report([(16, LATER)])
        asyncio.run(shelf.add([of(LATER, 11)]))
        told = asyncio.run(settle(shelf, [of(SEEN, 14, "absorbed", partial=True)], gap_of))
        [gone] = [each for each in told if each.started_at == SEEN.started_at]
        last = max(told, key=lambda each: each.revision)
        assert (gone.status, gone.partial, gone.revision > 14) == ("absorbed", False, True)
        assert (last.started_at, last.status) == (LATER.started_at, "active")
        assert active(shelf) == right([LATER])


def test_what_is_told_otherwise_under_the_same_revision_is_told_right_again() -> None:
    shelf = Shelf()
    shelf.report([(8, SEEN)])
    shorter = replace(SEEN, ended_at=SEEN.started_at)
    asyncio.run(shelf.add([of(SEEN, 8)]))
    [again] = asyncio.run(settle(shelf, [of(shorter, 8)], gap_of))
    assert (again.ended_at, again.revision) == (SEEN.ended_at, 9)
    assert active(shelf) == right([SEEN])
    assert asyncio.run(settle(shelf, [again, of(SEEN, 8)], gap_of)) == []
