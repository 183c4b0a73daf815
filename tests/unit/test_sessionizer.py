"""The sessionizer in tables of in and out. Times are seconds after `T0`."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from services.common.events.appearances import Appearance
from services.common.events.sessions import Session
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from tests.support.sessionizer import CAMERA, GAP, Feed, at, seen, session_id, told

MICROSECOND = 1e-6


@pytest.mark.parametrize(
    ("appearances", "sessions"),
    [
        ([(0, 10)], [(0, 10)]),
        ([(0, 10), (70, 80)], [(0, 80)]),
        ([(0, 10), (70 + MICROSECOND, 80)], [(0, 10), (70 + MICROSECOND, 80)]),
        ([(0, 100), (10, 20), (150, 160)], [(0, 160)]),
        ([(0, 0)], [(0, 0)]),
        ([(0, 0), (60, 60)], [(0, 60)]),
        ([(0, 0), (60 + MICROSECOND, 60 + MICROSECOND)], [(0, 0), (60 + MICROSECOND, 60 + MICROSECOND)]),
        ([(5, 6), (5, 9)], [(5, 9)]),
    ],
    ids=[
        "one appearance is one session",
        "exactly the gap joins",
        "a microsecond more opens the next",
        "the gap counts from the latest end so far, not from the last one",
        "zero length",
        "zero lengths exactly a gap apart join",
        "zero lengths a microsecond more apart do not",
        "same start",
    ],
)
def test_appearances_join_while_the_gap_allows(
    appearances: list[tuple[float, float]], sessions: list[tuple[float, float]]
) -> None:
    out = Feed().put(*(seen(f"k{n}", start, end, "ann") for n, (start, end) in enumerate(appearances)))
    assert told(out) == [("active", "ann", start, end) for start, end in sessions]


def test_the_gap_is_an_argument() -> None:
    out = Feed().put(seen("a", 0, 10, "ann"), seen("b", 20, 30, "ann"), gap=timedelta(seconds=9))
    assert told(out) == [("active", "ann", 0, 10), ("active", "ann", 20, 30)]


def test_people_do_not_share_sessions() -> None:
    out = Feed().put(seen("a", 0, 10, "ann"), seen("b", 5, 15, "bob"), seen("c", 5, 9))
    assert sorted(told(out)) == [("active", "ann", 0, 10), ("active", "bob", 5, 15), ("active", "track:c", 5, 9)]


def test_a_session_tells_everything_about_itself() -> None:
    (session,) = Feed().put(
        seen("a", 0, 30, "ann", age="adult", gender="female"),
        seen("b", 20, 50, "ann", age="teen"),
        seen("c", 80, 90, "ann"),
    )
    assert session == Session(
        session_id=session_id("ann", "a"),
        camera_id=CAMERA,
        subject_id="ann",
        started_at=at(0),
        ended_at=at(90),
        dwell_seconds=90.0,
        visible_seconds=60.0,
        appearance_count=3,
        age_group="teen",
        gender="female",
        status="active",
        revision=1,
        absorbed_into=None,
    )


def test_demographics_come_from_the_latest_end_and_on_a_tie_from_the_greatest_key() -> None:
    (session,) = Feed().put(
        seen("a", 0, 50, "ann", age="adult", gender="female"), seen("b", 10, 50, "ann", age="senior", gender="male")
    )
    assert (session.age_group, session.gender) == ("senior", "male")


def test_the_earliest_appearance_with_the_least_key_names_the_session() -> None:
    (session,) = Feed().put(seen("b", 0, 10, "ann"), seen("a", 0, 5, "ann"), seen("0", 1, 5, "ann"))
    assert session.session_id == session_id("ann", "a")


def test_reports_of_one_appearance_merge() -> None:
    feed = Feed()
    feed.put(seen("a", 10, 20, "ann", reported=20, age="adult"))
    (session,) = feed.put(seen("a", 5, 15, "ann", reported=30, age="teen"))
    assert told([session]) == [("active", "ann", 5, 20)]
    assert (session.appearance_count, session.age_group, session.revision) == (1, "teen", 2)


def test_an_exact_duplicate_changes_nothing() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, "ann"))
    values = dict(feed.values)
    assert feed.put(seen("a", 0, 10, "ann"), seen("a", 0, 10, "ann")) == []
    assert feed.values == values


def test_only_sessions_that_changed_come_out() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, "ann"), seen("b", 500, 510, "ann"))
    assert told(feed.put(seen("c", 20, 30, "ann"))) == [("active", "ann", 0, 30)]


def test_a_late_appearance_bridges_two_sessions() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, "ann"), seen("c", 100, 110, "ann"))
    absorbed, bridged = feed.put(seen("b", 50, 60, "ann"))
    assert told([absorbed, bridged]) == [("absorbed", "ann", 100, 110), ("active", "ann", 0, 110)]
    assert absorbed.session_id == session_id("ann", "c")
    assert absorbed.absorbed_into == bridged.session_id == session_id("ann", "a")
    assert (absorbed.revision, bridged.revision) == (2, 2)


def test_an_earlier_appearance_gives_the_session_another_name() -> None:
    feed = Feed()
    feed.put(seen("b", 30, 40, "ann"))
    absorbed, session = feed.put(seen("a", 0, 10, "ann"))
    assert told([absorbed, session]) == [("absorbed", "ann", 30, 40), ("active", "ann", 0, 40)]
    assert absorbed.absorbed_into == session.session_id == session_id("ann", "a")


def test_an_appearance_that_gets_a_person_moves_and_is_counted_once() -> None:
    feed = Feed()
    feed.put(seen("k", 0, 10))
    absorbed, session = feed.put(seen("k", 0, 12, "ann"))
    assert told([absorbed, session]) == [("absorbed", "track:k", 0, 10), ("active", "ann", 0, 12)]
    assert absorbed.absorbed_into == session.session_id
    assert session.appearance_count == 1


def test_a_report_without_the_person_does_not_undo_the_move() -> None:
    feed = Feed()
    feed.put(seen("k", 0, 10, "ann"))
    assert told(feed.put(seen("k", 0, 20, reported=99))) == [("active", "ann", 0, 20)]


def test_a_person_of_interest_moves_to_the_person() -> None:
    feed = Feed()
    feed.put(seen("k", 0, 10, poi="7"))
    out = feed.put(seen("k", 0, 10, "ann"))
    assert told(out) == [("absorbed", "poi:7", 0, 10), ("active", "ann", 0, 10)]


def test_a_move_splits_the_session_that_it_leaves() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, poi="7"), seen("b", 50, 60, poi="7"), seen("c", 100, 110, poi="7"))
    out = feed.put(seen("b", 50, 60, "ann"))
    assert sorted(told(out)) == [("active", "ann", 50, 60), ("active", "poi:7", 0, 10), ("active", "poi:7", 100, 110)]


def test_a_move_of_the_first_appearance_renames_what_stays() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, poi="7"), seen("b", 50, 60, poi="7"))
    absorbed, *active = feed.put(seen("a", 0, 10, "ann"))
    assert told([absorbed]) == [("absorbed", "poi:7", 0, 60)]
    assert absorbed.absorbed_into == session_id("ann", "a")
    assert sorted(told(active)) == [("active", "ann", 0, 10), ("active", "poi:7", 50, 60)]


def test_an_absorbed_session_may_live_again() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, poi="7"), seen("c", 100, 110, poi="7"))
    feed.put(seen("b", 50, 60, poi="7"))
    out = feed.put(seen("b", 50, 60, "ann"))
    again = next(session for session in out if session.session_id == session_id("poi:7", "c"))
    assert (again.status, again.absorbed_into, again.revision) == ("active", None, 3)


def test_a_live_record_writes_two_values_of_under_eight_kilobytes_at_200_subjects() -> None:
    feed = Feed()
    feed.put(*(seen(f"appearance-{n:026}", n, n + 5, f"person-{n:030}") for n in range(200)))
    state = CameraState(feed.values.get)
    step(state, [seen("appearance-x", 300, 310, "person-x")], camera_id=CAMERA, gap=GAP, revision=9)
    written = dict(state.writes())
    assert len(written) <= 2
    assert sum(map(len, written.values())) < 8 * 1024


def test_a_live_record_writes_under_eight_kilobytes_however_many_people_have_been_seen() -> None:
    feed = Feed()
    for hour in range(20):
        starts = range(3600 * hour, 3600 * hour + 500)
        feed.put(*(seen(f"appearance-{start:026}", start, start + 5, f"person-{start % 500:030}") for start in starts))
    state = CameraState(feed.values.get)
    step(state, [seen("appearance-x", 80_000, 80_010, "person-x")], camera_id=CAMERA, gap=GAP, revision=99)
    assert sum(len(value) for _, value in state.writes()) < 8 * 1024


class Forgetful(Feed):
    """A state that holds next to nothing."""

    def put(self, *reports: Appearance, gap: timedelta = GAP) -> list[Session]:
        with (
            patch("services.processor.domain.buckets.BUCKETS", 1),
            patch("services.processor.domain.buckets.SESSIONS_BYTES", 300),
            patch("services.processor.domain.buckets.INDEX_BYTES", 80),
        ):
            return super().put(*reports, gap=gap)

    def fill(self, start: float) -> None:
        """Other people, an hour of them, each seen once."""
        for n in range(20):
            at_time = start + 180 * n
            self.put(seen(f"other-{start}-{n}", at_time, at_time + 5, f"other-{start}-{n}"))


def test_what_touches_forgotten_time_is_partial() -> None:
    feed = Forgetful()
    feed.put(seen("a", 0, 10, "ann"))
    feed.fill(500)
    (near,) = feed.put(seen("b", 70, 80, "ann"))
    assert (told([near]), near.partial) == ([("active", "ann", 70, 80)], True)


def test_what_lies_beyond_the_gap_from_forgotten_time_is_whole() -> None:
    feed = Forgetful()
    feed.put(seen("a", 0, 10, "ann"))
    feed.fill(500)
    assert [session.partial for session in feed.put(seen("b", 90_000, 90_010, "ann"))] == [False]


def test_a_session_that_was_told_as_partial_stays_so_when_it_grows() -> None:
    feed = Forgetful()
    feed.put(seen("a", 0, 10, "ann"))
    feed.fill(500)
    feed.put(seen("b", 70, 80, "ann"))
    (grown,) = feed.put(seen("c", 130, 140, "ann"))
    assert (told([grown]), grown.partial) == ([("active", "ann", 70, 140)], True)


def test_a_report_of_a_forgotten_appearance_is_partial_whoever_it_names() -> None:
    feed = Forgetful()
    feed.put(seen("a", 0, 10, "ann"))
    feed.fill(500)
    assert [session.partial for session in feed.put(seen("a", 0, 10))] == [True]


def test_before_the_horizon_everything_is_partial_and_after_it_nothing() -> None:
    feed = Feed()
    out = [
        step(CameraState(feed.values.get, at(100)), [report], camera_id=CAMERA, gap=GAP, revision=1)
        for report in (seen("a", 150, 170, "ann"), seen("b", 161, 170, "bob"))
    ]
    assert [(session.subject_id, session.partial) for (session,) in out] == [("ann", True), ("bob", False)]
