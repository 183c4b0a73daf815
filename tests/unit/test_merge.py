"""Insight events merged with occupancy, in tables of in and out. Times are seconds after 09:00; the window is 300 s."""

from typing import Any

import msgspec
import pytest

from services.common.events.insights import InsightEvent
from tests.support.camera_feed import CameraFeed, at, insight, seconds, session

EVENT = 10_000
MICROSECOND = 1e-6


def test_an_event_with_nobody_around_has_no_occupancy() -> None:
    (merged,) = CameraFeed().insights(insight("i", EVENT, 60, people_count=7, raw={"a": 1}))
    assert (seconds(merged.window_started_at), seconds(merged.window_ended_at)) == (EVENT - 300, EVENT + 360)
    assert (merged.match, merged.sessions_in_window, merged.occupancy_peak) == ("no_occupancy", 0, 0)
    assert (merged.people_count, merged.raw) == (7, {"a": 1})


def test_an_event_tells_the_occupancy_of_its_window() -> None:
    feed = CameraFeed()
    feed.sessions(
        session("early", EVENT - 1_000, EVENT - 200),
        session("there", EVENT - 10, EVENT + 10),
        session("too", EVENT - 5, EVENT + 290),
        session("late", EVENT + 250, EVENT + 900),
        session("before", EVENT - 2_000, EVENT - 1_640),
    )
    (merged,) = feed.insights(insight("i", EVENT))
    assert merged.match == "matched"
    assert merged.sessions_in_window == 4
    assert merged.occupancy_at_event == 2
    assert merged.occupancy_peak == 2
    assert merged.occupancy_avg == (100 + 20 + 295 + 50) / 600
    assert merged.baseline_avg == (360 + 700) / 3_600
    assert (merged.session_id, merged.session_dwell_seconds) == (None, None)


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        (-400, -300, 0),
        (-400, -300 + MICROSECOND, 1),
        (300, 400, 1),
        (300 + MICROSECOND, 400, 0),
        (-300, -300, 1),
        (300, 300, 1),
        (0, 0, 1),
        (-9_000, 9_000, 1),
    ],
    ids=[
        "ends as the window begins",
        "ends a microsecond later",
        "starts as the window ends",
        "starts a microsecond later",
        "zero length at the begin",
        "zero length at the end",
        "zero length within",
        "around it all",
    ],
)
def test_which_sessions_are_in_the_window(start: float, end: float, inside: int) -> None:
    feed = CameraFeed()
    feed.sessions(session("s", EVENT + start, EVENT + end))
    (merged,) = feed.insights(insight("i", EVENT))
    assert merged.sessions_in_window == inside
    assert merged.match == ("matched" if inside else "no_occupancy")


@pytest.mark.parametrize(
    ("sessions", "own"),
    [
        ([("ann", -50, -1)], None),
        ([("ann", -50, 0)], "s0"),
        ([("ann", 60, 90)], "s0"),
        ([("ann", 61, 90)], None),
        ([("bob", 0, 60)], None),
        ([("ann", -50, 5), ("ann", 20, 50)], "s1"),
        ([("ann", -50, 10), ("ann", 50, 90)], "s0"),
    ],
    ids=[
        "before the event",
        "until its very start",
        "from its very end",
        "after it",
        "somebody else's",
        "the longest overlap of two",
        "the earlier of two that overlap alike",
    ],
)
def test_the_known_subjects_session(sessions: list[tuple[str, float, float]], own: str | None) -> None:
    feed = CameraFeed()
    feed.sessions(*(session(f"s{n}", EVENT + start, EVENT + end, who) for n, (who, start, end) in enumerate(sessions)))
    (merged,) = feed.insights(insight("i", EVENT, 60, "ann"))
    assert merged.session_id == own
    if own:
        _, start, end = sessions[int(own[1:])]
        assert merged.session_dwell_seconds == end - start


def test_an_event_without_a_subject_has_no_session_of_its_own() -> None:
    feed = CameraFeed()
    feed.sessions(session("s", EVENT, EVENT + 10, "ann"))
    assert feed.insights(insight("i", EVENT))[0].session_id is None


def test_a_session_in_the_window_tells_the_event_again_with_a_greater_revision() -> None:
    feed = CameraFeed()
    (first,) = feed.insights(insight("i", EVENT))
    (second,) = feed.sessions(session("s", EVENT, EVENT + 30)).insights
    assert (second.match, second.occupancy_at_event) == ("matched", 1)
    assert second.revision > first.revision


@pytest.mark.parametrize("start", [-3_900, -2_000, -301, -10, 299])
def test_sessions_of_the_window_and_of_the_hour_before_it_touch_the_event(start: float) -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT))
    assert len(feed.sessions(session("s", EVENT + start, EVENT + start + 60)).insights) == 1


@pytest.mark.parametrize("start", [-4_060, 360])
def test_sessions_in_no_minute_of_these_do_not(start: float) -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT))
    assert feed.sessions(session("s", EVENT + start, EVENT + start + 60)).insights == []


def test_a_session_that_goes_on_long_after_the_event_still_tells_its_dwell() -> None:
    feed = CameraFeed()
    feed.sessions(session("s", EVENT - 20_000, EVENT + 10, "ann"))
    feed.insights(insight("i", EVENT, 0, "ann"))
    feed.sessions(session("s", EVENT - 20_000, EVENT + 9_000, "ann"))
    (merged,) = feed.sessions(session("s", EVENT - 20_000, EVENT + 20_000, "ann")).insights
    assert merged.session_dwell_seconds == 40_000


def test_an_absorbed_session_leaves_the_merge() -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT, 0, "ann"))
    feed.sessions(session("s", EVENT, EVENT + 30, "ann"))
    (merged,) = feed.sessions(session("s", EVENT, EVENT + 30, "ann", status="absorbed")).insights
    assert (merged.match, merged.session_id, merged.occupancy_at_event) == ("no_occupancy", None, 0)


@pytest.mark.parametrize(
    ("reported", "fields", "kind"),
    [
        (20, {"kind": "loitering"}, "loitering"),
        (5, {"kind": "loitering"}, "crowd"),
        (10, {"kind": "loitering"}, "loitering"),
        (10, {"kind": "a"}, "crowd"),
    ],
    ids=["later", "earlier", "same time, greater JSON", "same time, lesser JSON"],
)
def test_the_later_report_of_an_insight_holds(reported: float, fields: dict[str, Any], kind: str) -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT, reported_at=at(10)))
    told = feed.insights(insight("i", EVENT, reported_at=at(reported), **fields))
    assert [one.kind for one in told] == ([kind] if kind != "crowd" else [])
    assert feed.sessions(session("s", EVENT, EVENT + 30)).insights[0].kind == kind


def test_a_report_that_moves_the_event_moves_its_window() -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT))
    (moved,) = feed.insights(insight("i", EVENT + 50_000, reported_at=at(60_000)))
    assert seconds(moved.started_at) == EVENT + 50_000
    assert feed.sessions(session("s", EVENT, EVENT + 30)).insights == []
    assert len(feed.sessions(session("t", EVENT + 50_000, EVENT + 50_030)).insights) == 1


def test_the_same_report_again_tells_nothing() -> None:
    feed = CameraFeed()
    feed.insights(insight("i", EVENT))
    assert feed.insights(insight("i", EVENT)) == []


def test_many_revisions_are_claimed_at_once() -> None:
    feed = CameraFeed()
    claims = []
    for number in range(10):
        camera = feed.camera()
        camera.on_insights([insight(f"i{number}", 0)], revision=number + 1)
        camera.outputs(at(0))
        claims += list(camera.claim())
        feed.values.update(camera.writes())
    assert [key for key, _ in claims] == ["camera"]


class TestWithdrawals:
    def test_an_event_that_nobody_reports_any_more_is_told_as_withdrawn(self) -> None:
        feed = CameraFeed()
        (told,) = feed.insights(insight("i", EVENT, source="upload:1#1"))
        (gone,) = feed.insights(insight("i", EVENT, source="upload:1#1", withdrawn=True))
        assert (told.withdrawn, gone.withdrawn) == (False, True)
        assert gone.revision > told.revision

    def test_sessions_about_it_then_tell_nothing_of_it(self) -> None:
        feed = CameraFeed()
        feed.insights(insight("i", EVENT))
        feed.insights(insight("i", EVENT, withdrawn=True))
        assert feed.sessions(session("s", EVENT, EVENT + 10)).insights == []

    def test_what_another_origin_reported_holds_as_if_it_had_been_alone(self) -> None:
        feed = CameraFeed()
        feed.insights(insight("i", EVENT, source="corsight:webhook", kind="loitering"))
        feed.insights(insight("i", EVENT, source="upload:1#1", kind="crowd", reported_at=at(EVENT + 9)))
        (told,) = feed.insights(insight("i", EVENT, source="upload:1#8", withdrawn=True))
        assert (told.kind, told.source, told.withdrawn) == ("loitering", "corsight:webhook", False)

    def test_what_an_origin_reports_after_it_took_it_back_counts_again(self) -> None:
        feed = CameraFeed()
        feed.insights(insight("i", EVENT, kind="crowd"))
        feed.insights(insight("i", EVENT, withdrawn=True))
        (told,) = feed.insights(insight("i", EVENT, kind="loitering", reported_at=at(0)))
        assert (told.kind, told.withdrawn) == ("loitering", False)
        assert feed.insights(insight("j", EVENT), insight("j", EVENT, withdrawn=True))[0].withdrawn

    def test_what_takes_back_an_event_that_is_not_known_is_told_all_the_same(self) -> None:
        """The state may be younger than what is stored."""
        assert [told.withdrawn for told in CameraFeed().insights(insight("i", EVENT, withdrawn=True))] == [True]

    def test_an_event_of_one_origin_is_kept_as_it_always_was(self) -> None:
        feed = CameraFeed()
        one = insight("i", EVENT)
        feed.insights(one)
        [value] = [value for key, value in feed.values.items() if key.startswith("insight:")]
        assert msgspec.msgpack.decode(value, type=InsightEvent) == one
