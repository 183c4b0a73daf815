"""Alert rules, in tables of in and out. Times are seconds after 09:00, the gap is 60 s, the cooldown 300 s."""

from typing import Any

import numpy as np
import pytest

from services.common.events.alerts import Alert, AlertRule
from services.common.events.common import isoformat, stable_id
from services.insights.domain.levels import Levels
from services.insights.domain.rules import applies, occupancy_episodes
from services.insights.domain.spans import SECOND, micros
from tests.support.camera_feed import T0, CameraFeed, at, seconds, session

HISTORY = 1e6


def rule(kind: str, threshold: float, **fields: Any) -> AlertRule:
    return AlertRule(
        rule_id="r",
        version=1,
        name="a rule",
        kind=kind,
        threshold=threshold,
        severity="high",
        updated_at=T0,
        **fields,
    )


LONG_STAY = rule("dwell_exceeded", 600)
CROWD = rule("occupancy_exceeded", 2)


def told(alerts: list[Alert]) -> list[tuple[str, float, float, float]]:
    """(status, event time, end, measured)."""
    return [
        (alert.status, seconds(alert.event_time), seconds(alert.ended_at or alert.event_time), alert.measured)
        for alert in alerts
    ]


class TestDwell:
    def test_a_stay_of_exactly_the_threshold_raises_nothing(self) -> None:
        assert CameraFeed([LONG_STAY]).sessions(session("s", 0, 600)).alerts == []

    def test_a_longer_stay_of_history_is_resolved_at_once_and_not_live(self) -> None:
        (alert,) = CameraFeed([LONG_STAY]).sessions(session("s", 0, 700, "ann"), now=HISTORY).alerts
        assert alert == Alert(
            alert_id=stable_id("r", "cam-1", "ann", isoformat(at(600))),
            kind="dwell_exceeded",
            severity="high",
            camera_id="cam-1",
            event_time=at(600),
            measured=700.0,
            threshold=600.0,
            rule_id="r",
            rule_version=1,
            rule_name="a rule",
            status="resolved",
            live=False,
            revision=alert.revision,
            subject_id="ann",
            session_id="s",
            ended_at=at(700),
        )

    def test_a_live_stay_opens_once_updates_while_it_lasts_and_resolves_once(self) -> None:
        feed = CameraFeed([LONG_STAY])
        out = [
            *feed.sessions(session("s", 0, 590), now=590).alerts,
            *feed.sessions(session("s", 0, 610), now=610).alerts,
            *feed.sessions(session("s", 0, 640), now=640).alerts,
            *feed.time(now=650).alerts,
            *feed.time(now=700).alerts,
            *feed.time(now=701).alerts,
            *feed.time(now=800).alerts,
        ]
        assert told(out) == [("open", 600, 610, 610.0), ("open", 600, 640, 640.0), ("resolved", 600, 640, 640.0)]
        assert len({alert.alert_id for alert in out}) == 1
        assert [alert.revision for alert in out] == sorted({alert.revision for alert in out})
        assert all(alert.live for alert in out)

    def test_other_sessions_of_the_camera_let_time_pass_too(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 610), now=610)
        assert told(feed.sessions(session("t", 700, 710), now=710).alerts) == [("resolved", 600, 610, 610.0)]

    @pytest.mark.parametrize(("age", "live"), [(600, True), (600.001, False)])
    def test_an_event_of_ten_minutes_ago_is_still_live(self, age: float, live: bool) -> None:
        (alert,) = CameraFeed([LONG_STAY]).sessions(session("s", 0, 700), now=600 + age).alerts
        assert alert.live is live

    def test_what_is_resolved_stays_resolved_when_the_stay_turns_out_longer(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 610), now=700)
        assert told(feed.sessions(session("s", 0, 730), now=740).alerts) == [("resolved", 600, 730, 730.0)]

    def test_late_data_that_moves_the_start_keeps_the_alert(self) -> None:
        feed = CameraFeed([LONG_STAY])
        (opened,) = feed.sessions(session("s", 0, 610, "ann")).alerts
        out = feed.sessions(session("s", 0, 610, "ann", status="absorbed"), session("e", -100, 610, "ann")).alerts
        assert told(out) == [("resolved", 500, 610, 710.0)]
        assert (out[0].alert_id, out[0].session_id) == (opened.alert_id, "e")

    def test_of_two_stays_that_turn_out_to_be_one_the_first_alert_goes_on(self) -> None:
        feed = CameraFeed([LONG_STAY])
        first, second = feed.sessions(session("a", 0, 700, "ann"), session("b", 800, 1_500, "ann"), now=1_500).alerts
        assert [first.status, second.status] == ["resolved", "open"]
        out = feed.sessions(
            session("a", 0, 1_500, "ann"), session("b", 800, 1_500, "ann", status="absorbed"), now=1_500
        ).alerts
        assert sorted(told(out)) == [("resolved", 600, 1_500, 1_500.0), ("resolved", 1_400, 1_500, 700.0)]

    def test_a_stay_that_is_no_more_resolves_its_alert(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 610), now=610)
        out = feed.sessions(session("s", 0, 610, status="absorbed"), now=615).alerts
        assert told(out) == [("resolved", 600, 610, 610.0)]

    def test_the_same_record_again_tells_nothing(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 700))
        feed.sessions_revision -= 1
        assert feed.sessions(session("s", 0, 700)).alerts == []

    @pytest.mark.parametrize(
        ("start", "alerts"),
        [(1_100, 1), (1_400.001, 2), (1_400, 1)],
        ids=["within the cooldown", "after it", "at its very end"],
    )
    def test_a_stay_that_becomes_too_long_within_the_cooldown_opens_nothing(self, start: float, alerts: int) -> None:
        short = rule("dwell_exceeded", 10)
        feed = CameraFeed([short])
        out = [
            *feed.sessions(session("a", 1_000, 1_110, "ann")).alerts,
            *feed.sessions(session("b", start, start + 100, "ann")).alerts,
        ]
        assert len(out) == alerts

    def test_the_cooldown_is_one_subjects_own(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("a", 0, 700, "ann"))
        assert len(feed.sessions(session("b", 100, 800, "bob")).alerts) == 1

    @pytest.mark.parametrize(
        "changes",
        [{"enabled": False}, {"deleted": True}, {"camera_ids": ["another"]}],
        ids=["disabled", "deleted", "for other cameras"],
    )
    def test_a_rule_that_no_longer_applies_resolves_its_alerts(self, changes: dict[str, Any]) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 610), now=610)
        changed = rule("dwell_exceeded", 600, **changes)
        feed.rules = [one for one in [changed] if applies(one, "cam-1")]
        assert told(feed.time(now=611).alerts) == [("resolved", 600, 610, 610.0)]

    def test_a_changed_rule_holds_for_what_comes_next(self) -> None:
        feed = CameraFeed([LONG_STAY])
        feed.sessions(session("s", 0, 610), now=610)
        feed.rules = [rule("dwell_exceeded", 300)]
        assert told(feed.sessions(session("s", 0, 620), now=620).alerts) == [("open", 300, 620, 620.0)]


class TestOccupancy:
    @pytest.mark.parametrize(
        ("levels", "episodes"),
        [
            ([(0, 10, 2)], []),
            ([(0, 10, 0), (10, 20, 3), (20, 30, 0)], [(10, 20, 3)]),
            ([(0, 10, 0), (10, 20, 3), (20, 30, 5), (30, 40, 0)], [(10, 30, 5)]),
            ([(0, 10, 0), (10, 20, 3), (20, 80, 2), (80, 90, 4), (90, 99, 0)], [(10, 90, 4)]),
            ([(0, 10, 0), (10, 20, 3), (20, 81, 2), (81, 90, 4), (90, 99, 0)], [(10, 20, 3), (81, 90, 4)]),
        ],
        ids=[
            "the threshold itself is no breach",
            "a run",
            "measured is the most at once",
            "runs exactly the gap apart are one episode",
            "farther apart they are two",
        ],
    )
    def test_episodes(self, levels: list[tuple[int, int, int]], episodes: list[tuple[int, int, int]]) -> None:
        times = np.array([micros(T0) + at * SECOND for at in [*(start for start, _, _ in levels), levels[-1][1]]])
        found = occupancy_episodes(CROWD, Levels(times, np.array([count for *_, count in levels])), CameraFeed().gap)
        assert [(seconds(one.started_at), seconds(one.ended_at), one.measured) for one in found] == episodes

    def test_a_crowd_of_history_is_one_resolved_alert(self) -> None:
        people = [session(f"s{n}", n * 10, 100 + n) for n in range(4)]
        (alert,) = CameraFeed([CROWD]).sessions(*people).alerts
        assert told([alert]) == [("resolved", 20, 101, 4.0)]
        assert (alert.subject_id, alert.session_id, alert.kind) == (None, None, "occupancy_exceeded")
        assert alert.alert_id == stable_id("r", "cam-1", "", isoformat(at(20)))

    def test_a_live_crowd_opens_grows_and_resolves(self) -> None:
        feed = CameraFeed([CROWD])
        out = [
            *feed.sessions(*(session(f"s{n}", n, 30) for n in range(3)), now=30).alerts,
            *feed.sessions(*(session(f"s{n}", n, 50) for n in range(3)), now=50).alerts,
            *feed.sessions(session("s3", 40, 50), now=51).alerts,
            *feed.sessions(*(session(f"s{n}", n, 80) for n in range(2)), now=80).alerts,
            *feed.time(now=110).alerts,
            *feed.time(now=111).alerts,
        ]
        assert told(out) == [
            ("open", 2, 30, 3.0),
            ("open", 2, 50, 3.0),
            ("open", 2, 50, 4.0),
            ("resolved", 2, 50, 4.0),
        ]
        assert len({alert.alert_id for alert in out}) == 1

    def test_a_crowd_of_hours_is_one_alert_however_it_arrives(self) -> None:
        feed = CameraFeed([CROWD])
        hours = 5 * 3_600
        people = [session(f"s{n}", 0, hours, f"p{n}") for n in range(3)]
        for one in people[:2]:
            feed.sessions(one)
        (alert,) = feed.sessions(people[2]).alerts
        assert told([alert]) == [("resolved", 0, hours, 3.0)]
        (later,) = feed.sessions(session("x", 100, 120)).alerts
        assert told([later]) == [("resolved", 0, hours, 4.0)]
        assert later.alert_id == alert.alert_id

    def test_two_parts_of_a_crowd_that_a_late_session_joins_are_one_alert(self) -> None:
        feed = CameraFeed([CROWD])
        feed.sessions(*(session(f"a{n}", 0, 100) for n in range(3)))
        feed.sessions(*(session(f"b{n}", 1_000, 1_100) for n in range(3)))
        (joined,) = feed.sessions(*(session(f"c{n}", 50, 1_050) for n in range(3))).alerts
        assert told([joined]) == [("resolved", 0, 1_100, 6.0)]

    def test_the_second_part_of_a_crowd_that_falls_apart_has_an_alert_of_its_own(self) -> None:
        """Though the one alert, which goes on with the first part, opened when the second began."""
        feed = CameraFeed([rule("occupancy_exceeded", 2, cooldown_seconds=0)])
        (alert,) = feed.sessions(*(session(f"b{n}", 1_000, 1_100) for n in range(3))).alerts
        (joined,) = feed.sessions(*(session(f"a{n}", 0, 1_050) for n in range(3))).alerts
        assert (joined.alert_id, told([joined])) == (alert.alert_id, [("resolved", 0, 1_100, 6.0)])
        apart = feed.sessions(*(session(f"a{n}", 0, 100) for n in range(3))).alerts
        assert sorted(told(apart)) == [("resolved", 0, 100, 3.0), ("resolved", 1_000, 1_100, 3.0)]
        assert [one.alert_id == alert.alert_id for one in sorted(apart, key=lambda one: one.event_time)] == [
            True,
            False,
        ]
        assert feed.sessions(session("c", 5_000, 5_001)).alerts == []

    def test_a_crowd_that_begins_within_the_cooldown_opens_nothing(self) -> None:
        feed = CameraFeed([CROWD])
        feed.sessions(*(session(f"a{n}", 0, 100) for n in range(3)))
        assert feed.sessions(*(session(f"b{n}", 400, 500) for n in range(3))).alerts == []
        assert len(feed.sessions(*(session(f"c{n}", 401, 402) for n in range(3))).alerts) == 0
        assert len(feed.sessions(*(session(f"d{n}", 2_000, 2_100) for n in range(3))).alerts) == 1

    def test_a_crowd_that_was_none_resolves_its_alert(self) -> None:
        feed = CameraFeed([CROWD])
        people = [session(f"s{n}", 0, 30) for n in range(3)]
        feed.sessions(*people, now=30)
        out = feed.sessions(session("s0", 0, 30, status="absorbed"), now=31).alerts
        assert [alert.status for alert in out] == ["resolved"]
