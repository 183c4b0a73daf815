from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import msgspec
import pytest

from services.ingest.intake import Taken, take
from services.ingest.layout import CAMERAS
from services.ingest.simulator.__main__ import simulated
from tests.support.vendor_events import NOON

MINUTES = 15


def told(seed: int = 1, now: datetime = NOON, minutes: float = MINUTES) -> list[tuple[datetime, dict[str, Any]]]:
    until = now + timedelta(minutes=minutes)
    return list(takewhile(lambda sent: sent[0] <= until, simulated(seed, 6.0, now)))


def taken(events: list[tuple[datetime, dict[str, Any]]]) -> Taken:
    raws = [msgspec.Raw(msgspec.json.encode(event)) for _, event in events]
    return take(raws, "corsight:webhook", events[-1][0])


@pytest.fixture(scope="module")
def quarter_of_an_hour() -> list[tuple[datetime, dict[str, Any]]]:
    return told()


class TestFeed:
    def test_the_same_seed_and_start_tell_the_same(self) -> None:
        assert told(minutes=2) == told(minutes=2)

    def test_another_run_tells_of_other_tracks(self) -> None:
        def tracks(now: datetime) -> set[str]:
            events = (event for _, event in told(now=now, minutes=2) if "appearance_data" in event)
            return {event["appearance_data"]["appearance_id"] for event in events}

        assert not tracks(NOON) & tracks(NOON + timedelta(hours=1))

    def test_everything_is_sent_in_order(self, quarter_of_an_hour: list[tuple[datetime, dict[str, Any]]]) -> None:
        times = [sent_at for sent_at, _ in quarter_of_an_hour]
        assert times == sorted(times)

    def test_the_connector_takes_all_of_it(self, quarter_of_an_hour: list[tuple[datetime, dict[str, Any]]]) -> None:
        found = taken(quarter_of_an_hour)
        assert found.refused == []
        assert {fact.camera_id for fact in found.appearances} == {camera.camera_id for camera in CAMERAS}
        assert {fact.kind for fact in found.insights} == {"crowd"}

    def test_people_are_inside_already_when_it_starts(self) -> None:
        events = told(minutes=0)
        found = taken(events)
        still_there = [fact for fact in found.appearances if fact.ended_at > NOON - timedelta(seconds=10)]
        assert len(still_there) > 10
        assert min(fact.started_at for fact in found.appearances) < NOON - timedelta(minutes=10)
        assert len(events) < 1000

    def test_most_people_are_anonymous_and_some_are_known(
        self, quarter_of_an_hour: list[tuple[datetime, dict[str, Any]]]
    ) -> None:
        people = {fact.appearance_key: fact for fact in taken(quarter_of_an_hour).appearances}.values()
        known = sum(fact.poi_id is not None for fact in people)
        assert 0 < known < 0.25 * len(people)
        assert not any(fact.person_id for fact in people)

    def test_a_track_begins_with_its_first_event_and_ends_with_its_last(
        self, quarter_of_an_hour: list[tuple[datetime, dict[str, Any]]]
    ) -> None:
        triggers: dict[str, list[int]] = defaultdict(list)
        for sent_at, event in quarter_of_an_hour:
            if "appearance_data" in event and event["appearance_data"]["utc_time_started"] > NOON.timestamp():
                assert event["frame_data"]["utc_time_recorded"] <= sent_at.timestamp()
                triggers[event["appearance_data"]["appearance_id"]].append(event["trigger"])
        finished = [each for each in triggers.values() if each[-1] == 2]
        assert len(finished) > 100
        assert all(each[0] == 0 and set(each[1:-1]) <= {1} for each in finished)

    def test_somebody_waits_too_long_and_a_crowd_forms_within_two_minutes(self) -> None:
        found = taken(told(minutes=2.5))
        assert max(fact.ended_at - fact.started_at for fact in found.appearances) > timedelta(minutes=10)
        [crowd] = found.insights
        present = {
            fact.appearance_key
            for fact in found.appearances
            if fact.camera_id == crowd.camera_id and fact.started_at <= crowd.started_at <= fact.ended_at
        }
        assert crowd.people_count is not None
        assert len(present) >= crowd.people_count

    def test_the_server_tells_its_status_every_ten_seconds(
        self, quarter_of_an_hour: list[tuple[datetime, dict[str, Any]]]
    ) -> None:
        kinds = Counter(event["event_type"] for _, event in quarter_of_an_hour)
        assert kinds["server_status"] == MINUTES * 6 + 1
