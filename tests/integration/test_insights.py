"""The insights service on a real Kafka: occupancy, merges and alerts, from a backlog, through crashes, past rubbish."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import asdict, replace

from services.common import clock
from services.common.events.alerts import AlertRule
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.events.sessions import Session
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from services.insights.agents import INPUTS
from services.insights.app import APP_ID
from tests import oracle
from tests.support import stored
from tests.support.kafka import changelog_of, delete_topic, produce, read_items
from tests.support.processes import ServiceProcesses
from tests.support.streams import drained, latest
from tests.support.waiting import wait_until
from tests.support.walks import CAMERAS, insights, reports

RUBBISH = (b"", b"{", b"\xff\xfe", b'{"camera_id":"cam-0","source":"x","items":[{}]}', b"[" * 5_000, None)


def rule(kind: str, threshold: float) -> AlertRule:
    return AlertRule(
        rule_id=kind,
        version=1,
        name=kind,
        kind=kind,
        threshold=threshold,
        severity="high",
        updated_at=clock.now(),
        cooldown_seconds=0,
    )


def stay(until: datetime) -> Session:
    return Session(
        session_id="s",
        camera_id=CAMERAS[0],
        subject_id="ann",
        started_at=until - timedelta(seconds=700),
        ended_at=until,
        dwell_seconds=700.0,
        visible_seconds=700.0,
        appearance_count=1,
        age_group="adult",
        gender="female",
        status="active",
        revision=2,
    )


def rows(items: list[Any], columns: tuple[str, ...]) -> stored.Rows:
    return stored.keyed([asdict(item) for item in items], columns)


async def check_against_the_oracle(bootstrap: str, told: list[Appearance], events: list[InsightEvent]) -> None:
    """Minutes and merges are those of one batch over all reports; minutes that are not in it are empty."""
    await drained(bootstrap, "dwell-processor", Topic.APPEARANCES)
    await drained(bootstrap, APP_ID, *INPUTS)
    sessions = oracle.sessions(oracle.appearances(oracle.reports([asdict(report) for report in told])))
    minutes = await latest(bootstrap, Topic.OCCUPANCY, lambda one: (one.camera_id, one.minute))
    busy = [one for one in minutes if one.occupancy_avg or one.entries or one.exits]
    assert rows(busy, stored.MINUTE) == stored.expected(oracle.occupancy_minutes(sessions), stored.MINUTE)
    merges = await latest(bootstrap, Topic.INSIGHTS_MERGED, lambda one: one.insight_id)
    merged = oracle.merged_insights(oracle.insight_events([asdict(event) for event in events]), sessions)
    assert rows(merges, stored.INSIGHT) == stored.expected(merged, stored.INSIGHT)


async def test_a_backlog_with_rubbish_in_it_comes_to_what_the_oracle_says(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    told, events = reports(seed=3, appearances=1_000), insights(seed=3, count=40)
    async with EventProducer(bootstrap, "tests") as producer:
        await producer.publish(Topic.APPEARANCES, told, "test")
        await service_process.start("processor")
        await drained(bootstrap, "dwell-processor", Topic.APPEARANCES)
        for topic in (Topic.SESSIONS, Topic.INSIGHTS):
            for camera_id in CAMERAS:
                await produce(bootstrap, topic, RUBBISH, camera_id.encode())
        await producer.publish(Topic.INSIGHTS, events, "test")
        for topic in (Topic.SESSIONS, Topic.INSIGHTS):
            await produce(bootstrap, topic, RUBBISH, CAMERAS[0].encode())
        await producer.publish(Topic.INSIGHTS, [replace(events[0], insight_id="long", duration_seconds=1e9)], "test")
    await service_process.start("insights")
    await check_against_the_oracle(bootstrap, told, events)
    reasons = [one.reason_code for one in await latest(bootstrap, Topic.QUARANTINE, lambda one: one.quarantine_id)]
    assert len(reasons) == 2 * len(RUBBISH) * (len(CAMERAS) + 1) + 1
    assert reasons.count("implausible_dwell") == 1


async def test_killed_in_mid_work_and_its_state_lost_it_comes_to_what_the_oracle_says(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    told, events = reports(seed=5, appearances=1_200), insights(seed=5, count=60)
    async with EventProducer(bootstrap, "tests") as producer:
        await producer.publish(Topic.ALERT_RULES, [rule("occupancy_exceeded", 2)], "test")
        await service_process.start("processor", "insights")
        for part in range(2):
            victims = ("insights", "processor")[: part + 1]
            feed = asyncio.create_task(publish_in_turn(producer, told[part::2], events[part::2]))
            await until_minutes_come(bootstrap)
            for victim in victims:
                service_process.kill(victim)
            await feed
            if part:
                await delete_topic(bootstrap, await changelog_of(bootstrap, APP_ID))
            await service_process.start(*victims)
    await check_against_the_oracle(bootstrap, told, events)
    alerts = await latest(bootstrap, Topic.ALERTS, lambda alert: alert.alert_id)
    assert alerts
    assert {alert.status for alert in alerts} == {"resolved"}


async def publish_in_turn(producer: EventProducer, told: list[Appearance], events: list[InsightEvent]) -> None:
    """Records of many items and records of one."""
    for start in range(0, len(told), 20):
        await producer.publish(Topic.APPEARANCES, told[start : start + 10], "test")
        for report in told[start + 10 : start + 20]:
            await producer.publish(Topic.APPEARANCES, [report], "test")
        await producer.publish(Topic.INSIGHTS, events[start // 20 :: 10], "test")


async def until_minutes_come(bootstrap: str) -> None:
    known = len(await read_items(bootstrap, Topic.OCCUPANCY))

    async def more() -> bool:
        return len(await read_items(bootstrap, Topic.OCCUPANCY)) > known

    await wait_until(more, 60)


async def test_an_alert_resolves_though_nothing_comes_any_more_and_though_another_process_opened_it(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]

    async def told() -> list[tuple[str, str, bool]]:
        alerts: list[Any] = await read_items(bootstrap, Topic.ALERTS)
        return [(alert.status, alert.subject_id, alert.live) for alert in alerts]

    async def resolved() -> bool:
        return len(await told()) > 1

    async with EventProducer(bootstrap, "tests") as producer:
        await producer.publish(Topic.ALERT_RULES, [rule("dwell_exceeded", 600)], "test")
        service_process.environment = {**settings_env, "DWELL_SESSION_GAP_SECONDS": "10"}
        await service_process.start("insights")
        await producer.publish(Topic.SESSIONS, [stay(clock.now())], "test")
    await wait_until(told)
    assert await told() == [("open", "ann", True)]
    await drained(bootstrap, APP_ID, *INPUTS)
    service_process.kill("insights")
    await service_process.start("insights")
    await wait_until(resolved)
    assert await told() == [("open", "ann", True), ("resolved", "ann", True)]
