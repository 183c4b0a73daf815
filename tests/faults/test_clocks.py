"""Clocks that differ: those of services, of producers, and of cameras."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.layout import ROOT
from services.common.events.appearances import Appearance
from services.common.events.common import isoformat
from services.common.kafka.envelopes import envelopes
from services.common.topics import Topic
from tests.faults.rig import Fault, Rig
from tests.faults.walks import Report

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

SKEWED = Path(__file__).parent / "skewed"

MINUTES = {"gateway": 10, "processor": -10, "insights": 10, "sink": -10}

JUMPS = [timedelta(hours=-6), timedelta(days=400), timedelta(seconds=-90), timedelta(days=-400), timedelta(minutes=10)]

RECORDED_OFF = [timedelta(days=-10), timedelta(minutes=50), timedelta(hours=-1)]
"""Kafka takes records of up to an hour ahead."""


def services_off(direction: int) -> Fault:
    async def fault(rig: Rig) -> None:
        for name, minutes in MINUTES.items():
            off = {"PYTHONPATH": f"{ROOT}:{SKEWED}", "SKEW_SECONDS": str(direction * minutes * 60)}
            await rig.processes.start(name, **off)
        await rig.accepts_more(1000)

    return fault


async def cameras_jump(rig: Rig) -> None:
    """Every camera's clock, back and forth, among the reports of those that are right."""
    for number, jump in enumerate(JUMPS):
        reports = [shifted(report, jump, number) for report in rig.load.take(200)]
        await rig.load.write(reports)
        await rig.accepts_more(100)


def shifted(report: Report, by: timedelta, number: int) -> Report:
    key = f"{report['appearance_key']} jump {number}"
    times = {
        name: isoformat(datetime.fromisoformat(report[name]) + by) for name in ("started_at", "ended_at", "reported_at")
    }
    subject = {"subject_id": f"track:{key}"} if report["person_id"] is None else {}
    return {**report, **times, **subject, "appearance_key": key, "appearance_id": key}


async def producers_off(rig: Rig) -> None:
    async with AIOKafkaProducer(bootstrap_servers=rig.kafka, acks="all") as producer:
        for off in RECORDED_OFF * 3:
            reports = rig.load.take(50)
            for key, value in enveloped(reports):
                at = int((datetime.now().astimezone() + off).timestamp() * 1000)
                await producer.send_and_wait(Topic.APPEARANCES, value, key=key, timestamp_ms=at)
            rig.load.accepted += reports
            await rig.accepts_more(50)


def enveloped(reports: Iterable[Report]) -> Iterable[tuple[bytes, bytes]]:
    return envelopes(Topic.APPEARANCES, msgspec.convert(list(reports), list[Appearance]), "faults")


FAULTS: list[tuple[str, Fault]] = [
    ("cameras' clocks jump", cameras_jump),
    ("producers' clocks hours and days off", producers_off),
    ("services' clocks 20 minutes apart", services_off(1)),
    ("services' clocks 20 minutes apart the other way", services_off(-1)),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_clocks_that_differ(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
