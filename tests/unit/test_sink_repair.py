"""A processor that forgets, and a sink that puts right what it tells: together they come to what the oracle says."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.sessions import Session, appearances_before, revision_after
from services.common.sessions import session_of
from services.sink.domain.repair import look_again, settle
from tests.support.forgetful import ForgetfulProcessor
from tests.support.meeting import CAMERA, T0, a_report
from tests.support.shelf import GAP, Shelf, active, gap_of, right


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


def hear(shelf: Shelf, records: list[list[Appearance]], offsets: Iterable[int]) -> None:
    spans = shelf.report([(revision_after(offset), each) for offset in offsets for each in records[offset]])
    asyncio.run(look_again(shelf, spans, gap_of))


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
            hear(shelf, records, range(stored, ahead))
            stored = ahead
            if data.draw(st.booleans()):
                batch += data.draw(st.permutations(batch))
            repaired = asyncio.run(settle(shelf, batch, gap_of))
            # What was told about the repair comes back, and what a record before said may be told again.
            assert asyncio.run(settle(shelf, repaired, gap_of)) == []
        hear(shelf, records, range(stored, len(records)))
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
        asyncio.run(settle(shelf, [of(SEEN, 17, "absorbed")], gap_of))
        asyncio.run(settle(shelf, [of(SEEN, 14, partial=True), of(SEEN, 15)], gap_of))
        assert active(shelf) == right([SEEN])

    def test_a_session_that_is_told_to_be_absorbed_after_the_name_of_its_subject_was_taken_back_stays(self) -> None:
        named = replace(NAMED, source="upload:2#1")
        shelf = Shelf()
        hear(shelf, [[SEEN]], [0])
        asyncio.run(settle(shelf, [of(SEEN, 2)], gap_of))
        hear(shelf, [[], [named], [replace(named, withdrawn=True)]], [1, 2])
        asyncio.run(settle(shelf, [of(SEEN, 4, "absorbed"), of(named, 4)], gap_of))
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


NAMED = replace(SEEN, subject_id="ann", person_id="ann", reported_at=T0 + timedelta(seconds=5))
EARLY = replace(SEEN, age_group="adult", gender="male")
LATE = replace(EARLY, reported_at=T0 + timedelta(seconds=10))


class TestUnheard:
    """A report that says what a processor takes for known, while it has forgotten what was known beside it."""

    def test_the_session_of_a_subject_that_the_processor_has_forgotten_is_put_right(self) -> None:
        shelf = Shelf()
        hear(shelf, [[NAMED], [EARLY]], [0, 1])
        asyncio.run(settle(shelf, [of(NAMED, 2), of(EARLY, 4)], gap_of))
        hear(shelf, [[], [], [LATE]], [2])
        assert active(shelf) == right([NAMED, EARLY, LATE])

    def test_a_session_that_was_put_right_before_is_put_right_again(self) -> None:
        unnamed = replace(SEEN, reported_at=T0 + timedelta(seconds=5), age_group="senior")
        shelf = Shelf()
        hear(shelf, [[unnamed], [EARLY]], [0, 1])
        asyncio.run(settle(shelf, [of(unnamed, 2), of(EARLY, 4)], gap_of))
        assert active(shelf) == right([unnamed, EARLY])
        hear(shelf, [[], [], [LATE]], [2])
        assert active(shelf) == right([unnamed, EARLY, LATE])

    def test_a_session_that_was_in_doubt_and_right_is_put_right_when_something_hidden_comes_out(self) -> None:
        known = replace(NAMED, age_group="adult")
        mistaken = replace(NAMED, age_group="teen", reported_at=T0)
        last = replace(mistaken, appearance_key="l", ended_at=NAMED.ended_at + GAP)
        nobody = replace(last, age_group="other", reported_at=T0 + timedelta(seconds=10))
        shelf = Shelf()
        hear(shelf, [[known], [mistaken, last]], [0, 1])
        told = session_of(CAMERA, "ann", [MergedAppearance.of(each) for each in (mistaken, last)], 4)
        assert asyncio.run(settle(shelf, [of(known, 2), told], gap_of)) == []
        hear(shelf, [[], [], [nobody]], [2])
        assert active(shelf) == right([known, mistaken, last, nobody])

    def test_of_what_every_processor_tells_nothing_is_looked_at_at_once(self) -> None:
        shelf = Shelf()
        hear(shelf, [[SEEN]], [0])
        assert shelf.report([(4, NAMED)]) == []
        assert shelf.report([(6, replace(NAMED, ended_at=NAMED.ended_at + timedelta(seconds=9)))]) == []


def test_the_rest_of_a_session_that_the_same_batch_tells_of_is_found_again() -> None:
    rest = replace(NAMED, appearance_key="l", started_at=NAMED.ended_at + GAP, ended_at=NAMED.ended_at + GAP)
    whole = session_of(CAMERA, NAMED.subject_id, [MergedAppearance.of(NAMED), MergedAppearance.of(rest)], 2)
    shelf = Shelf()
    hear(shelf, [[NAMED, rest], [NAMED]], [0, 1])
    asyncio.run(settle(shelf, [whole, of(NAMED, 4)], gap_of))
    assert active(shelf) == right([NAMED, rest])


def test_what_is_told_otherwise_under_the_same_revision_is_told_right_again() -> None:
    shelf = Shelf()
    shelf.report([(8, SEEN)])
    shorter = replace(SEEN, ended_at=SEEN.started_at)
    asyncio.run(shelf.add([of(SEEN, 8)]))
    [again] = asyncio.run(settle(shelf, [of(shorter, 8)], gap_of))
    assert (again.ended_at, again.revision) == (SEEN.ended_at, 9)
    assert active(shelf) == right([SEEN])
    assert asyncio.run(settle(shelf, [again, of(SEEN, 8)], gap_of)) == []
