"""Cameras that see nobody, as the sources' heartbeats and the passing of time tell. Seconds after 09:00."""

from typing import Any

from msgspec.structs import replace

from services.common.events.alerts import Alert, AlertRule
from services.common.topics import Topic
from tests.support.camera_feed import T0, seconds, session
from tests.support.insights_feed import InsightsFeed


def rule(threshold: float = 300, **changes: Any) -> AlertRule:
    silent = AlertRule(
        rule_id="r", version=1, name="Silent", kind="camera_silent", threshold=threshold, severity="low", updated_at=T0
    )
    return replace(silent, **changes)


def told(feed: InsightsFeed) -> list[tuple[str, float, float, float]]:
    """Status, begin, end so far and length of the silence, of the alerts since this was asked last."""
    return [_shown(alert) for alert in feed.told(Topic.ALERTS)]


def _shown(alert: Alert) -> tuple[str, float, float, float]:
    assert alert.ended_at
    return alert.status, seconds(alert.event_time), seconds(alert.ended_at), alert.measured


async def beats(feed: InsightsFeed, *pairs: tuple[float, float | None]) -> None:
    for now, seen in pairs:
        await feed.handle(feed.heartbeat(now, seen))


async def test_a_camera_that_sees_nobody_for_longer_than_the_threshold_is_one_alert_until_it_sees_somebody() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10, 0), (300, 0))
    assert told(feed) == []
    await beats(feed, (310, 0))
    assert told(feed) == [("open", 300, 310, 310.0)]
    await beats(feed, (320, 0), (609, 0))
    assert told(feed) == []
    await beats(feed, (610, 0))
    assert told(feed) == [("open", 300, 610, 610.0)]
    await beats(feed, (710, 705))
    assert told(feed) == [("resolved", 300, 705, 705.0)]
    await beats(feed, (720, 705))
    assert told(feed) == []


async def test_it_is_told_as_an_alert_of_the_camera_and_the_rule() -> None:
    feed = InsightsFeed([rule(severity="high")])
    await beats(feed, (310, 0))
    (alert,) = feed.told(Topic.ALERTS)
    assert (alert.kind, alert.severity, alert.camera_id, alert.threshold) == ("camera_silent", "high", "cam-1", 300)
    assert (alert.subject_id, alert.session_id, alert.live) == (None, None, True)


async def test_one_source_that_sees_somebody_is_enough() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10, 0))
    await feed.handle(feed.heartbeat(400, 390, "corsight:sse"), feed.heartbeat(401, 0, "corsight:webhook"))
    assert told(feed) == []


async def test_a_camera_that_never_saw_anybody_is_not_silent() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10, None), (9_000, None))
    await feed.tick(now=99_000)
    assert told(feed) == []


async def test_a_connector_that_is_gone_leaves_its_cameras_silent() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10, 0))
    await feed.tick(now=299)
    assert told(feed) == []
    await feed.tick(now=305)
    assert told(feed) == [("open", 300, 305, 305.0)]


async def test_while_heartbeats_wait_to_be_read_nobody_falls_silent() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10, 0))
    feed.table.read_to_its_end = False
    await feed.tick(now=9_000)
    await beats(feed, (290, 280), (570, 560))
    assert told(feed) == []


async def test_a_process_started_again_goes_on_with_the_alert() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (310, 0))
    told(feed)
    feed.start()
    await beats(feed, (320, 0), (330, 325))
    assert told(feed) == [("resolved", 300, 325, 325.0)]


async def test_a_silence_of_history_is_no_news() -> None:
    feed = InsightsFeed([rule()])
    await beats(feed, (10_000, 0))
    (alert,) = feed.told(Topic.ALERTS)
    assert not alert.live


async def test_a_silence_that_outlasts_the_cooldown_opens_when_it_ends() -> None:
    feed = InsightsFeed([rule(threshold=60, cooldown_seconds=500)])
    await beats(feed, (70, 0), (110, 100))
    assert [status for status, *_ in told(feed)] == ["open", "resolved"]
    await beats(feed, (200, 100), (600, 100))
    assert told(feed) == []
    await beats(feed, (610, 100))
    assert told(feed) == [("open", 600, 610, 510.0)]


async def test_people_who_stay_do_not_end_it_and_a_rule_that_is_no_more_does() -> None:
    rules = [rule()]
    feed = InsightsFeed(rules)
    feed._rulebook.for_camera = lambda _: rules
    await beats(feed, (310, 0))
    await feed.handle(feed.record(Topic.SESSIONS, [session("s", 0, 400)], now=401))
    await feed.tick(now=402)
    assert [status for status, *_ in told(feed)] == ["open"]
    rules.clear()
    await feed.tick(now=405)
    assert [status for status, *_ in told(feed)] == ["resolved"]
