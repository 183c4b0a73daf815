"""Records that cannot be read or must not be believed, at every position of the log."""

import asyncio
from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from services.common.topics import Topic
from tests.faults.rig import Rig
from tests.faults.walks import Report
from tests.support.pipeline import Pipeline
from tests.support.stored import becomes

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

CAMERA = "poisoned"
KEEPS_BYTES = 64 * 1024


def envelope(*items: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"camera_id": CAMERA, "source": "test", "items": items})


def report(number: int, **changed: Any) -> Report:
    return {**Pipeline.appearance(CAMERA, f"p{number}", number * 100), **changed}


UNREADABLE: dict[str, bytes | None] = {
    "no value": None,
    "empty": b"",
    "bad JSON": b'{"camera_id": "poisoned", "items": [',
    "bad UTF-8": b'{"camera_id": "\xff\xfe", "source": "test", "items": [{}]}',
    "another type": b'["camera_id", 7]',
    "NaN": b'{"camera_id": "poisoned", "source": "test", "items": [NaN]}',
    "deep": b"[" * 100_000,
    "2 MB": b'{"items": "' + b"x" * 2_000_000,
    "no items": envelope(),
}
"""Of any topic."""

UNBELIEVABLE: dict[str, Report] = {
    "1970": report(500, started_at="1970-01-01T00:00:01Z"),
    "negative dwell": report(501, ended_at="2026-03-10T00:00:00Z"),
    "another camera's key": report(502, camera_id="another"),
    "a number for a name": report(503, person_id=7),
    "no time": {"appearance_key": "p504", "camera_id": CAMERA},
}

STRANGE = [
    report(600, started_at="2286-11-20T17:46:39Z", ended_at="2286-11-20T17:46:40Z", reported_at="2286-11-20T17:46:40Z"),
    report(601, extra={"face": "x" * 2_000_000}),
    report(602, person_id="名前 \u202e \U0001f600"),
]
"""Reports that are large or odd, and still what the contract allows."""

TOPICS = (Topic.APPEARANCES, Topic.SESSIONS, Topic.INSIGHTS, Topic.OCCUPANCY, Topic.INSIGHTS_MERGED, Topic.ALERTS)


def records(topic: Topic, good: list[Report]) -> list[tuple[bytes | None, bool]]:
    """(value, whether it is to be taken): everything bad between good neighbours, and behind other bad ones."""
    bad = [(value, False) for value in UNREADABLE.values()]
    if topic is not Topic.APPEARANCES:
        return bad + bad
    fine = [(envelope(each), True) for each in good]
    refused = [(envelope(each), False) for each in UNBELIEVABLE.values()]
    return [*chain.from_iterable(zip(bad, fine, strict=True)), *bad, *refused, (envelope(*STRANGE), True), *refused]


async def test_poison_at_every_position(rig: Rig) -> None:
    wanted: set[str] = set()

    async def fault(rig: Rig) -> None:
        good = [report(number) for number in range(len(UNREADABLE))]
        producer = AIOKafkaProducer(bootstrap_servers=rig.kafka, acks="all", max_request_size=4 << 20, linger_ms=50)
        await producer.start()
        for topic in TOPICS:
            # Not waited for one by one: a bad record shall lie directly behind one that is still being handled.
            written = records(topic, good)
            sent = [await producer.send(topic, value, key=CAMERA.encode()) for value, _ in written]
            for place, (_, is_taken) in zip(await asyncio.gather(*sent), written, strict=True):
                if not is_taken:
                    wanted.add(f"kafka:{topic}/{place.partition}/{place.offset}")
        mixed = [report(700), *UNBELIEVABLE.values(), report(701)]
        place = await producer.send_and_wait(Topic.APPEARANCES, envelope(*mixed), key=CAMERA.encode())
        wanted.update(f"kafka:{Topic.APPEARANCES}/{place.partition}/{place.offset}#{n}" for n in range(1, 6))
        await producer.stop()
        rig.load.accepted += [*good, *STRANGE, report(700), report(701)]
        for name in ("processor", "insights", "sink"):
            rig.processes.kill(name)
        await rig.accepts_more()

    await rig.endure("poison at every position", fault)
    await becomes(partial(quarantined, rig.pool), wanted)


async def quarantined(pool: asyncpg.Pool) -> set[str]:
    rows = await pool.fetch("SELECT source, raw FROM quarantine WHERE source LIKE 'kafka:%'")
    assert all(len(row["raw"]) <= KEEPS_BYTES for row in rows)
    assert len(rows) == len({row["source"] for row in rows})
    return {row["source"] for row in rows}
