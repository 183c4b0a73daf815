"""What happens in the simulated shop, and what the simulated vendor tells of it."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.common.corsight.chunks import RowRules
from services.ingest.intake import Taken, take
from services.ingest.layout import CAMERAS
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.records import Query
from services.ingest.simulator.vendor import Bodies, Life, Vendor
from tests import oracle
from tests.support.vendor_events import NOON

MINUTES = 15
QUARTER_OF_AN_HOUR = timedelta(minutes=15)


class Told(Vendor):
    """Remembers what it sent."""

    def __init__(self, faults: Faults | None = None, **life: Any) -> None:
        super().__init__(
            Life(
                **{
                    "seed": 1,
                    "begins_at": NOON,
                    "told_until": NOON,
                    "people_per_minute": 6.0,
                    "open_for": QUARTER_OF_AN_HOUR,
                    "crops": False,
                    **life,
                }
            ),
            faults or Faults(),
        )
        self.bodies: Bodies = []
        self.receivers.append(self.bodies.extend)

    def for_minutes(self, minutes: float) -> "Told":
        self.tell(1_000_000, NOON + timedelta(minutes=minutes))
        return self

    @property
    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(body) for _, body in self.bodies]


def taken(events: list[dict[str, Any]]) -> Taken:
    raws = [msgspec.Raw(msgspec.json.encode(event)) for event in events]
    return take(raws, "corsight:webhook", RowRules(NOON + timedelta(days=1)))


def as_oracle(facts: list[Any]) -> str:
    reports = [fact if isinstance(fact, dict) else msgspec.to_builtins(fact) for fact in facts]
    found = oracle.appearances(oracle.reports(reports))
    return found.sort_values(["camera_id", "appearance_key"]).to_csv(index=False)


@pytest.fixture(scope="module")
def quarter_of_an_hour() -> Told:
    return Told().for_minutes(MINUTES)


class TestShop:
    def test_the_same_seed_and_start_tell_the_same(self) -> None:
        assert Told().for_minutes(2).bodies == Told().for_minutes(2).bodies

    def test_who_joins_later_is_told_the_same_from_then_on(self) -> None:
        whole = Told().for_minutes(4)
        rest = Told(told_until=NOON + timedelta(minutes=2)).for_minutes(4)
        assert rest.bodies == whole.bodies[-len(rest.bodies) :]
        assert as_oracle(rest.truth()["appearances"]) == as_oracle(whole.truth()["appearances"])

    def test_another_run_tells_of_other_tracks(self) -> None:
        def tracks(begins_at: datetime) -> set[str]:
            told = Told(begins_at=begins_at, told_until=begins_at)
            told.tell(500)
            return {event["appearance_data"]["appearance_id"] for event in told.events if "appearance_data" in event}

        assert not tracks(NOON) & tracks(NOON + timedelta(hours=1))

    def test_everything_is_sent_in_order(self, quarter_of_an_hour: Told) -> None:
        times = [event["msg_send_timestamp"] for event in quarter_of_an_hour.events]
        assert times == sorted(times)

    def test_the_connector_takes_all_of_it(self, quarter_of_an_hour: Told) -> None:
        found = taken(quarter_of_an_hour.events)
        assert found.refused == []
        assert {fact.camera_id for fact in found.appearances} == {camera.camera_id for camera in CAMERAS}
        assert {fact.kind for fact in found.insights} == {"crowd"}

    def test_people_are_inside_already_when_it_starts(self) -> None:
        told = Told()
        found = taken([msgspec.json.decode(body) for _, body in told.snapshot()])
        still_there = [fact for fact in found.appearances if fact.ended_at > NOON - timedelta(seconds=10)]
        assert len(still_there) > 10
        assert min(fact.started_at for fact in found.appearances) < NOON - timedelta(minutes=10)
        assert len(found.appearances) < 1000

    def test_most_people_are_anonymous_and_some_are_known(self, quarter_of_an_hour: Told) -> None:
        people = {fact.appearance_key: fact for fact in taken(quarter_of_an_hour.events).appearances}.values()
        known = sum(fact.poi_id is not None for fact in people)
        assert 0 < known < 0.25 * len(people)
        assert not any(fact.person_id for fact in people)

    def test_a_track_begins_with_its_first_event_and_ends_with_its_last(self, quarter_of_an_hour: Told) -> None:
        triggers: dict[str, list[int]] = defaultdict(list)
        for event in quarter_of_an_hour.events:
            if "appearance_data" in event and event["appearance_data"]["utc_time_started"] > NOON.timestamp():
                assert event["frame_data"]["utc_time_recorded"] <= event["msg_send_timestamp"]
                triggers[event["appearance_data"]["appearance_id"]].append(event["trigger"])
        finished = [each for each in triggers.values() if each[-1] == 2]
        assert len(finished) > 100
        assert all(each[0] in (0, 2) and set(each[1:-1]) <= {1} for each in finished)

    def test_somebody_waits_too_long_and_a_crowd_forms_within_two_minutes(self) -> None:
        found = taken(Told().for_minutes(2.5).events)
        assert max(fact.ended_at - fact.started_at for fact in found.appearances) > timedelta(minutes=10)
        [crowd] = found.insights
        present = {
            fact.appearance_key
            for fact in found.appearances
            if fact.camera_id == crowd.camera_id and fact.started_at <= crowd.started_at + timedelta(seconds=30)
        }
        assert crowd.people_count is not None
        assert len(present) >= crowd.people_count

    def test_the_server_tells_its_status_every_ten_seconds(self, quarter_of_an_hour: Told) -> None:
        kinds = Counter(event["event_type"] for event in quarter_of_an_hour.events)
        assert kinds["server_status"] == MINUTES * 6

    def test_a_picture_is_most_of_an_event(self) -> None:
        with_picture, without = Told(crops=True), Told()
        for told in (with_picture, without):
            told.tell(200)
        assert sum(len(body) for _, body in with_picture.bodies) > 3 * sum(len(body) for _, body in without.bodies)
        assert taken(with_picture.events).accepted == 200


class TestTruth:
    def test_it_is_what_the_oracle_makes_of_everything_that_was_sent(self) -> None:
        told = Told(open_for=timedelta(0)).for_minutes(10)
        assert as_oracle(told.truth()["appearances"]) == as_oracle(taken(told.events).appearances)

    def test_it_is_what_the_oracle_makes_of_the_history_alone(self) -> None:
        told = Told().for_minutes(5)
        rows = [
            told.shapes.row(report, flat=flat, named=False)
            for flat, query in ((False, Query("history_db", limit=100_000)), (True, Query("live_db", limit=100_000)))
            for _, report in told.records.find(query)
        ]
        assert as_oracle(told.truth()["appearances"]) == as_oracle(taken(rows).appearances)

    @pytest.mark.parametrize("jump", [-200.0, -20.0, 2.5, 120.0])
    def test_it_survives_a_jump_of_the_clock(self, jump: float) -> None:
        told = Told(open_for=timedelta(0)).for_minutes(5)
        told.faults.clock_jump_seconds = jump
        told.for_minutes(9)
        found = taken(told.events)
        assert {refused.reason_code for refused in found.refused} <= {"negative_dwell"}
        assert bool(found.refused) == (jump < 0)
        rows = [told.shapes.row(report, flat=False, named=False) for _, report in told.records.truth()]
        assert as_oracle(told.truth()["appearances"]) == as_oracle(found.appearances)
        assert as_oracle(told.truth()["appearances"]) == as_oracle([*found.appearances, *taken(rows).appearances])

    def test_it_has_the_insights(self, quarter_of_an_hour: Told) -> None:
        found = [msgspec.to_builtins(fact) for fact in taken(quarter_of_an_hour.events).insights]
        expected = oracle.insight_events(quarter_of_an_hour.truth()["insights"])
        assert oracle.insight_events(found).to_csv() == expected.to_csv()
        assert len(expected) > 0

    def test_a_history_with_names_knows_every_person(self) -> None:
        told = Told().for_minutes(2)
        rows = [
            told.shapes.row(report, flat=False, named=True)
            for _, report in told.records.find(Query("history_db", limit=100_000))
        ]
        named = {fact.appearance_key: fact.person_id for fact in taken(rows).appearances}
        true = {fact["appearance_key"]: fact["person_id"] for fact in told.truth(named=True)["appearances"]}
        assert named.items() <= true.items()
        assert len(set(named.values())) < len(named)


class TestFaults:
    def test_duplicates_come_twice_and_count_once(self) -> None:
        told = Told(Faults(duplicate=0.5)).for_minutes(3)
        assert told.told == len({event_id for event_id, _ in told.bodies}) < len(told.bodies)

    def test_a_shuffle_loses_nothing(self) -> None:
        shuffled, plain = Told(Faults(reorder=40)).for_minutes(3), Told().for_minutes(3)
        assert shuffled.bodies != plain.bodies
        assert sorted(shuffled.bodies) == sorted(plain.bodies)

    def test_recorded_video_and_unknown_types_come_among_the_others_and_count_nowhere(self) -> None:
        faults, nobody = Faults(recorded=0.2, unknown_types=0.1), timedelta(0)
        told = Told(faults, open_for=nobody).for_minutes(MINUTES)
        assert told.truth() == Told(open_for=nobody).for_minutes(MINUTES).truth()
        assert told.bodies == Told(faults, open_for=nobody).for_minutes(MINUTES).bodies
        found = taken(told.events)
        assert len(found.forensic) > 100
        assert found.unknown > 100
        assert found.rejected == 0
        assert as_oracle(found.appearances) == as_oracle(told.truth()["appearances"])

    def test_a_wrong_fault_changes_none(self) -> None:
        faults = Faults(drops=1)
        with pytest.raises(ValueError, match="duplicate"):
            faults.set(drops=3, duplicate=7)
        assert faults == Faults(drops=1)


class TestRecords:
    def test_pages_of_finished_tracks_come_to_all_of_them_once(self, quarter_of_an_hour: Told) -> None:
        records = quarter_of_an_hour.records
        paged: list[str] = []
        while page := records.find(Query("history_db", after_id=paged[-1] if paged else None, limit=7)):
            paged += [track_id for track_id, _ in page]
        assert paged == [track_id for track_id, _ in records.find(Query("history_db", limit=100_000))]

    def test_a_page_begins_after_a_track_that_has_closed_since(self) -> None:
        told = Told()
        [_, (second, _), (third, _)] = told.records.find(Query("live_db", limit=3))
        told.for_minutes(15)
        assert second not in dict(told.records.find(Query("live_db", limit=100_000)))
        later = told.records.find(Query("live_db", after_id=second, limit=100_000))
        assert later
        assert third not in dict(later) or later[0][0] == third

    def test_a_window_holds_what_was_last_seen_in_it(self, quarter_of_an_hour: Told) -> None:
        since, until = NOON + timedelta(minutes=3), NOON + timedelta(minutes=4)
        camera = CAMERAS[0].camera_id
        query = Query("history_db", since, until, frozenset({camera}), limit=100_000)
        found = quarter_of_an_hour.records.find(query)
        assert found
        assert all(since <= each.seen_at <= until and each.sighting.camera.camera_id == camera for _, each in found)

    def test_the_oldest_are_forgotten_when_there_are_too_many(self) -> None:
        told = Told()
        told.records._max_finished = 100
        told.for_minutes(15)
        kept = told.records.find(Query("history_db", limit=100_000))
        assert 90 <= len(kept) <= 100
        assert told.records.find(Query("history_db", after_id=kept[-2][0])) == kept[-1:]
