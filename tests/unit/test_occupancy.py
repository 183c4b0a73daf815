"""Occupancy per camera and minute, in tables of in and out. Times are seconds after 09:00, minutes count from there."""

import numpy as np
import pytest
from msgspec.structs import replace

from services.insights.domain.camera import Outputs
from services.insights.domain.levels import Levels, sweep
from tests.support.camera_feed import CameraFeed, minutes, seconds, session

HOURS = 3_600


def levels_of(levels: Levels) -> list[tuple[int, int, int]]:
    times = levels.times.tolist()
    steps = zip(times, times[1:], levels.counts.tolist(), strict=False)
    return [(start, end, count) for start, end, count in steps if start < end]


@pytest.mark.parametrize(
    ("spans", "levels"),
    [
        ([], [(0, 10, 0)]),
        ([(2, 5)], [(0, 2, 0), (2, 5, 1), (5, 10, 0)]),
        ([(2, 5), (5, 8)], [(0, 2, 0), (2, 5, 1), (5, 8, 1), (8, 10, 0)]),
        ([(2, 8), (4, 6)], [(0, 2, 0), (2, 4, 1), (4, 6, 2), (6, 8, 1), (8, 10, 0)]),
        ([(-5, 3), (7, 99)], [(0, 3, 1), (3, 7, 0), (7, 10, 1)]),
        ([(4, 4)], [(0, 4, 0), (4, 10, 0)]),
        ([(-5, 0), (10, 20)], [(0, 10, 0)]),
    ],
    ids=[
        "nobody",
        "one",
        "an end comes before a start at the same instant",
        "two at once",
        "cut at both ends",
        "zero length occupies nothing",
        "touching from outside",
    ],
)
def test_sweep(spans: list[tuple[int, int]], levels: list[tuple[int, int, int]]) -> None:
    starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    assert levels_of(sweep(np.sort(starts), np.sort(ends), np.array([0, 10]))) == levels


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([(0, 30)], [(0, 0.5, 1, 1, 1)]),
        ([(30, 150)], [(0, 0.5, 1, 1, 0), (1, 1.0, 1, 0, 0), (2, 0.5, 1, 0, 1)]),
        ([(0, 60)], [(0, 1.0, 1, 1, 0), (1, 0.0, 0, 0, 1)]),
        ([(0, 30), (30, 60)], [(0, 1.0, 1, 2, 1), (1, 0.0, 0, 0, 1)]),
        ([(0, 30), (15, 45)], [(0, 1.0, 2, 2, 2)]),
        ([(10, 10)], [(0, 0.0, 0, 1, 1)]),
        ([(890, 910)], [(14, 10 / 60, 1, 1, 0), (15, 10 / 60, 1, 0, 1)]),
        ([(840, 900)], [(14, 1.0, 1, 1, 0), (15, 0.0, 0, 0, 1)]),
    ],
    ids=[
        "half a minute",
        "over three minutes",
        "an end on the minute belongs to the minute that begins",
        "one goes as the next comes: never two",
        "two at once for a while",
        "zero length enters and leaves",
        "across a quarter of an hour",
        "an end on the quarter",
    ],
)
def test_minutes_of_sessions(sessions: list[tuple[int, int]], expected: list[tuple[float, ...]]) -> None:
    out = CameraFeed().sessions(*(session(f"s{n}", start, end) for n, (start, end) in enumerate(sessions)))
    assert minutes(out.minutes) == expected


def test_a_minute_that_is_told_again_has_a_greater_revision() -> None:
    feed = CameraFeed()
    (first,) = feed.sessions(session("a", 0, 30)).minutes
    (second,) = feed.sessions(session("b", 0, 30)).minutes
    assert (second.camera_id, seconds(second.minute)) == ("cam-1", 0)
    assert second.revision > first.revision


def test_only_minutes_that_change_come_out_when_a_session_grows() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 90))
    assert minutes(feed.sessions(session("a", 0, 130)).minutes) == [(1, 1.0, 1, 0, 0), (2, 10 / 60, 1, 0, 1)]


def test_minutes_become_zero_when_a_session_is_absorbed() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 30))
    assert minutes(feed.sessions(session("a", 0, 30, status="absorbed")).minutes) == [(0, 0.0, 0, 0, 0)]


def test_an_absorbed_session_lives_again() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 30))
    feed.sessions(session("a", 0, 30, status="absorbed"))
    assert minutes(feed.sessions(session("a", 0, 30)).minutes) == [(0, 0.5, 1, 1, 1)]


def test_a_session_that_shrinks_leaves_the_minutes_it_had() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 2 * HOURS))
    out = minutes(feed.sessions(session("a", 0, 60)).minutes)
    assert out == [(1, 0.0, 0, 0, 1)] + [(minute, 0.0, 0, 0, 0) for minute in range(2, 121)]


def test_a_session_whose_start_moves_earlier_is_still_one() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 1000, 1030))
    out = minutes(feed.sessions(session("a", 880, 1030)).minutes)
    assert out == [(14, 20 / 60, 1, 1, 0), (15, 1.0, 1, 0, 0), (16, 1.0, 1, 0, 0)]
    assert feed.sessions(session("a", 880, 1030)).minutes == []


def test_an_old_revision_changes_nothing() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 90))
    feed.sessions_revision = -1
    out = feed.sessions(session("a", 0, 30))
    assert out == Outputs()


def test_a_partial_record_waits_for_the_whole_one_that_follows() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 30))
    assert feed.sessions(replace(session("a", 1_800, 1_830), partial=True)) == Outputs()
    assert feed.sessions(replace(session("a", 0, 30, status="absorbed"), partial=True)) == Outputs()
    assert minutes(feed.sessions(session("a", 0, 60)).minutes) == [(0, 1.0, 1, 1, 0), (1, 0.0, 0, 0, 1)]


def test_a_repair_that_comes_after_a_later_version_changes_nothing() -> None:
    feed = CameraFeed()
    feed.put(replace(session("a", 0, 30), revision=4))
    feed.put(replace(session("a", 0, 90), revision=8))
    assert feed.put(replace(session("a", 0, 60), revision=5)) == Outputs()
    assert minutes(feed.put(replace(session("a", 0, 30), revision=9)).minutes) == [(0, 0.5, 1, 1, 1), (1, 0.0, 0, 0, 0)]


def test_a_session_among_many_writes_a_small_part_of_them() -> None:
    feed = CameraFeed()
    feed.sessions(*(session(f"s{number}", number / 10, number / 10 + 5) for number in range(6_000)))
    before = dict(feed.values)
    assert minutes(feed.sessions(session("a", 30, 35)).minutes) == [(0, 2_882.5 / 60, 51, 601, 551)]
    written = {key: len(value) for key, value in feed.values.items() if value != before.get(key)}
    assert sum(written.values()) < sum(map(len, before.values())) / 20


def test_a_session_that_grows_for_a_day_writes_few_values_each_time() -> None:
    feed = CameraFeed()
    feed.sessions(session("a", 0, 23 * HOURS))
    before = dict(feed.values)
    feed.sessions(session("a", 0, 23 * HOURS + 60))
    written = [key for key in feed.values if feed.values[key] != before.get(key)]
    assert sorted(key.split(":")[0] for key in written) == ["camera", "slot", "slot"]
    assert minutes(feed.sessions(session("a", 0, 30)).minutes)[0] == (0, 0.5, 1, 1, 1)
    assert minutes(feed.sessions(session("a", 0, 30, status="absorbed")).minutes) == [(0, 0.0, 0, 0, 0)]


class TestToldOfAtPlacesApart:
    """As a session is whose appearance was withdrawn and came again at another time."""

    def test_the_latest_version_counts_wherever_the_earlier_ones_lie(self) -> None:
        feed = CameraFeed()
        feed.put(replace(session("a", 0, 60), revision=25))
        feed.put(replace(session("a", 2400, 2460), revision=42))
        told = feed.put(replace(session("a", 0, 2460), revision=27)).minutes
        assert minutes(told) == [(0, 0.0, 0, 0, 0), (1, 0.0, 0, 0, 0)]
        assert feed.put(replace(session("a", 0, 2460, status="absorbed"), revision=29)).minutes == []

    def test_a_version_about_both_replaces_both(self) -> None:
        feed = CameraFeed()
        feed.put(replace(session("a", 0, 60), revision=4))
        feed.put(replace(session("a", 2400, 2460), revision=6))
        told = feed.put(replace(session("a", 1200, 3000, status="absorbed"), revision=8)).minutes
        assert [minute for minute, *_, entries, _ in minutes(told) if entries] == []
        again = feed.put(replace(session("a", 0, 3000), revision=10)).minutes
        assert sum(minute.entries for minute in again) == 1
        assert (len(again), {minute.occupancy_peak for minute in again[:-1]}) == (51, {1})
