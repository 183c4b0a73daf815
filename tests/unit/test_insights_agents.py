"""The handler of the insights service: what it tells of a batch, and how time passes for it. Seconds after 09:00."""

import pytest
from msgspec.structs import replace

from services.common.events.alerts import AlertRule
from services.common.topics import Topic
from tests.support.camera_feed import T0, insight, minutes, session
from tests.support.handlers import CrashError
from tests.support.insights_feed import InsightsFeed

LONG_STAY = AlertRule(
    rule_id="stay", version=1, name="stay", kind="dwell_exceeded", threshold=600, severity="low", updated_at=T0
)


async def with_an_open_alert() -> InsightsFeed:
    feed = InsightsFeed([LONG_STAY])
    await feed.handle(feed.record(Topic.SESSIONS, [session("s", 0, 610)], now=610))
    assert [alert.status for alert in feed.told(Topic.ALERTS)] == ["open"]
    return feed


async def test_minutes_are_told_record_by_record_and_merges_once_a_batch() -> None:
    feed = InsightsFeed()
    await feed.handle(
        feed.record(Topic.INSIGHTS, [insight("i", 0)]),
        feed.record(Topic.SESSIONS, [session("a", 0, 30)]),
        feed.record(Topic.SESSIONS, [replace(session("a", 0, 60), revision=1), session("b", 0, 60)]),
    )
    told = feed.told(Topic.OCCUPANCY)
    assert minutes(told) == [(0, 0.5, 1, 1, 1), (0, 2.0, 2, 2, 0), (1, 0.0, 0, 0, 2)]
    assert [minute.revision for minute in told] == [1, 2, 2]
    (merged,) = feed.told(Topic.INSIGHTS_MERGED)
    assert merged.sessions_in_window == 2


async def test_an_open_alert_resolves_when_its_gap_has_passed_though_nothing_comes() -> None:
    feed = await with_an_open_alert()
    await feed.tick(now=670)
    assert feed.told(Topic.ALERTS) == []
    await feed.tick(now=671)
    assert [alert.status for alert in feed.told(Topic.ALERTS)] == ["resolved"]
    await feed.tick(now=700)
    assert feed.told(Topic.ALERTS) == []


async def test_a_process_started_again_resolves_what_another_left_open() -> None:
    feed = await with_an_open_alert()
    feed.start()
    await feed.tick(now=671)
    assert [alert.status for alert in feed.told(Topic.ALERTS)] == ["resolved"]


async def test_no_time_passes_while_session_records_wait() -> None:
    feed = await with_an_open_alert()
    feed.table.read_to_its_end = False
    await feed.tick(now=9_000)
    await feed.handle(feed.heartbeat(now=9_000))
    assert feed.told(Topic.ALERTS) == []
    await feed.handle(feed.record(Topic.SESSIONS, [replace(session("s", 0, 650), revision=1)], now=650))
    assert [alert.status for alert in feed.told(Topic.ALERTS)] == ["open"]


async def test_a_heartbeat_lets_time_pass_for_its_camera() -> None:
    feed = await with_an_open_alert()
    await feed.handle(feed.heartbeat(now=671))
    assert [alert.status for alert in feed.told(Topic.ALERTS)] == ["resolved"]


async def test_a_crash_between_telling_and_writing_resolves_again_with_a_greater_revision() -> None:
    feed = await with_an_open_alert()
    feed.table.room = 0
    with pytest.raises(CrashError):
        await feed.tick(now=671)
    feed.table.room = None
    feed.start()
    await feed.tick(now=672)
    first, second = feed.told(Topic.ALERTS)
    assert (first.status, second.status) == ("resolved", "resolved")
    assert first.revision < second.revision
