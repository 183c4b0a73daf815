"""However the sessions come, every stay and crowd that breaks a rule in the end has its alert, resolved when over."""

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.events.alerts import Alert, AlertRule
from tests.oracle_alerts import Breach, breaches
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
    told = {Breach(a.rule_id, a.camera_id, a.session_id, a.event_time, a.ended_at, a.measured) for a in latest.values()}
    wanted = pd.DataFrame([msgspec.structs.asdict(session) for session in sessions])
    stays, crowds = (breaches(rule, wanted, pd.Timedelta(minutes=1)) for rule in (LONG_STAY, CROWD))
    assert {each for each in told if each.rule_id == LONG_STAY.rule_id} == stays
    # Crowds melt together as sessions come: what was told of their parts stays, resolved.
    assert told >= crowds
