"""However the sessions come, every stay and crowd that breaks a rule in the end has its alert, resolved when over."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.events.alerts import Alert, AlertRule
from services.common.events.sessions import Session
from tests.support.camera_feed import T0, CameraFeed, session

LONG_STAY = AlertRule(
    rule_id="stay", version=1, name="stay", kind="dwell_exceeded", threshold=600, severity="low", updated_at=T0,
    cooldown_seconds=0,
)  # fmt: skip
CROWD = AlertRule(
    rule_id="crowd", version=1, name="crowd", kind="occupancy_exceeded", threshold=1, severity="low", updated_at=T0,
    cooldown_seconds=0,
)  # fmt: skip

SESSIONS = st.lists(
    st.tuples(st.integers(0, 40).map(lambda n: n * 150.0), st.sampled_from([30.0, 300.0, 600.0, 601.0, 4_000.0])),
    min_size=1,
    max_size=8,
)


def crowds(sessions: list[Session]) -> list[tuple[datetime, datetime]]:
    """Runs with more than one session, joined over a minute, from the level at every instant at which it can change."""
    bounds = sorted({instant for s in sessions for instant in (s.started_at, s.ended_at)})
    runs: list[tuple[datetime, datetime]] = []
    for start, end in pairwise(bounds):
        if sum(s.started_at <= start < s.ended_at for s in sessions) > 1:
            joins = runs and start - runs[-1][1] <= timedelta(seconds=60)
            first = runs.pop()[0] if joins else start
            runs.append((first, end))
    return runs


@settings(max_examples=200, deadline=None)
@given(intervals=SESSIONS, data=st.data())
def test_every_breach_has_its_alert_and_all_are_resolved(
    intervals: list[tuple[float, float]], data: st.DataObject
) -> None:
    sessions = [session(f"s{n}", start, start + length) for n, (start, length) in enumerate(intervals)]
    feed = CameraFeed([LONG_STAY, CROWD])
    latest: dict[str, Alert] = {}
    waiting = data.draw(st.permutations(sessions + data.draw(st.lists(st.sampled_from(sessions), max_size=3))))
    while waiting:
        size = data.draw(st.integers(1, 4))
        record, waiting = waiting[:size], waiting[size:]
        for alert in feed.sessions(*record).alerts:
            assert alert.alert_id not in latest or alert.revision > latest[alert.alert_id].revision
            latest[alert.alert_id] = alert

    assert all(alert.status == "resolved" for alert in latest.values())
    stays = {a.session_id: (a.event_time, a.ended_at) for a in latest.values() if a.kind == "dwell_exceeded"}
    assert stays == {
        s.session_id: (s.started_at + timedelta(seconds=600), s.ended_at) for s in sessions if s.dwell_seconds > 600
    }
    told = {(alert.event_time, alert.ended_at) for alert in latest.values() if alert.kind == "occupancy_exceeded"}
    assert told >= set(crowds(sessions))
