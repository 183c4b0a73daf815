import json

import pytest

from services.common.topics import PARTITIONS
from services.notifier.domain.cursor import Cursor
from services.notifier.domain.fanout import (
    EVERYTHING,
    FRAME_ALERTS,
    AlertsFrame,
    Entry,
    Filters,
    Outbox,
    RecentAlerts,
    frames_of,
)
from tests.support.alerts import alert

START = Cursor("epoch", (0,) * PARTITIONS)


def entry(number: int, partition: int = 0, offset: int | None = None) -> Entry:
    return Entry(partition, number if offset is None else offset, (alert(number),))


class TestFilters:
    @pytest.mark.parametrize(
        ("filters", "passes"),
        [
            (EVERYTHING, True),
            (Filters(camera_ids=frozenset({"c1", "c2"})), True),
            (Filters(camera_ids=frozenset({"c2"})), False),
            (Filters(severities=frozenset({"high"})), True),
            (Filters(camera_ids=frozenset({"c1"}), severities=frozenset({"low"})), False),
        ],
    )
    def test_an_alert_must_pass_every_filter_that_is_set(self, filters: Filters, passes: bool) -> None:
        assert filters.pass_alert(alert(1, camera_id="c1", severity="high")) is passes


class TestAlertsFrame:
    def test_it_is_encoded_once_for_all_whose_filters_let_the_same_alerts_pass(self) -> None:
        frame = AlertsFrame(START, [alert(1), alert(2)])
        one, other = Filters(camera_ids=frozenset({"c1"})), Filters(severities=frozenset({"high"}))
        assert frame.text_for(one) is frame.text_for(EVERYTHING)
        assert frame.text_for(one) is frame.text_for(other)

    def test_each_client_gets_what_its_filters_let_pass_and_the_cursor_of_all(self) -> None:
        frame = AlertsFrame(START, [alert(1, camera_id="c1"), alert(2, camera_id="c2")])
        told = json.loads(frame.text_for(Filters(camera_ids=frozenset({"c2"}))) or "")
        assert [item["alert_id"] for item in told["items"]] == ["alert-2"]
        assert told["cursor"] == START.encode()

    def test_nothing_is_sent_where_nothing_passes(self) -> None:
        assert AlertsFrame(START, [alert(1)]).text_for(Filters(camera_ids=frozenset({"c9"}))) is None


class TestFramesOf:
    def test_every_frame_has_the_cursor_of_what_was_seen_so_far_and_the_last_one_that_of_the_end(self) -> None:
        entries = [entry(number, partition=number % 2, offset=number) for number in range(FRAME_ALERTS + 1)]
        end = START.after([(0, 500), (1, 500), (2, 500)])
        first, last = (json.loads(frame.text_for(EVERYTHING) or "") for frame in frames_of(entries, START, end))
        assert len(first["items"]) == FRAME_ALERTS
        assert first["cursor"] == START.after([(0, FRAME_ALERTS - 2), (1, FRAME_ALERTS - 1)]).encode()
        assert len(last["items"]) == 1
        assert last["cursor"] == end.encode()

    def test_without_alerts_there_is_no_frame(self) -> None:
        assert list(frames_of([], START, START.after([(0, 7)]))) == []


class TestRecentAlerts:
    def test_a_client_gets_what_came_after_its_cursor_in_order(self) -> None:
        recent = RecentAlerts(START, max_alerts=10)
        entries = [entry(1, 0, 5), entry(2, 1, 3), entry(3, 0, 6)]
        for each in entries:
            recent.add(each)
        assert recent.since(START) == entries
        assert recent.since(START.after([(0, 5)])) == entries[1:]
        assert recent.since(START.after([(0, 6), (1, 3)])) == []

    def test_what_memory_does_not_hold_whole_it_does_not_give_at_all(self) -> None:
        recent = RecentAlerts(START, max_alerts=2)
        for number in range(4):
            recent.add(entry(number))
        assert recent.since(START.after([(0, 0)])) is None
        assert recent.since(START.after([(0, 1)])) == [entry(2), entry(3)]

    def test_it_holds_nothing_from_before_its_start(self) -> None:
        recent = RecentAlerts(START.after([(0, 9)]), max_alerts=2)
        assert recent.since(START) is None


class TestOutbox:
    def test_it_gives_back_in_order(self) -> None:
        outbox = Outbox(max_frames=2, max_size=100)
        assert outbox.offer("a")
        assert outbox.offer("b")
        assert [outbox.take(), outbox.take(), outbox.take()] == ["a", "b", None]

    @pytest.mark.parametrize(("frames", "size"), [(1, 100), (9, 5)], ids=["frames", "size"])
    def test_it_takes_no_more_than_its_bounds_until_something_is_taken_out(self, frames: int, size: int) -> None:
        outbox = Outbox(max_frames=frames, max_size=size)
        assert outbox.offer("abc")
        assert not outbox.offer("def")
        outbox.take()
        assert outbox.offer("def")

    def test_a_frame_beyond_the_bound_still_goes_alone(self) -> None:
        assert Outbox(max_frames=2, max_size=5).offer("longer than five")
