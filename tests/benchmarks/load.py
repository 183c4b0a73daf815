"""Appearances to feed: people come to a camera, are seen a few times and go, so that as many are there at any time."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count, islice
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from services.common.events.appearances import Appearance
from services.common.kafka.admin import ensure_topics
from services.common.kafka.envelopes import envelopes
from services.common.topics import Topic

CAMERAS = 20
PRESENT = 200
"""Subjects at a camera at any time."""

SIGHTINGS = 5
"""Of one subject, before another takes the place."""

BETWEEN = timedelta(seconds=45)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)

Records = list[tuple[bytes, bytes]]
"""(key, value)."""

# What the vendor's export has beyond the modelled columns.
EXTRA: dict[str, Any] = {
    "retain": "FALSE",
    "appearance_category": "3",
    "labeled_outcome": "not_reviewed",
    "event_type": "appearance",
    "event_id": "86d4fd67-f875-40c7-9c1f-f07268404621",
    "first_frame_id": "456674",
    "last_frame_id": "456786",
    "node_id": "Server1",
    "analysis_mode": "live",
    "record_frames": "FALSE",
    "matching_in_hq": "FALSE",
    "zone_id": "c756e9c6-7819-492a-8864-0780778b5906",
    "zone_vertices": '[{"x": 0.1, "y": 0.2}, {"x": 0.9, "y": 0.2}, {"x": 0.5, "y": 0.9}]',
    "face_score": "85.9015",
    "frame_id": "456717",
    "frame_timestamp": "1795166074.241",
    "bbox_x1": "771",
    "bbox_y1": "401",
    "bbox_x2": "840",
    "bbox_y2": "498",
    "watchlist_type": "whitelist",
    "watchlist_display_name": "Staff",
    "watchlist_severity": "0",
    "match_outcome": "not_determined",
    "liveness_outcome": "not_determined",
    "mask_outcome": "not_determined",
}


def at_camera(camera: int, *, present: int = PRESENT) -> Iterator[Appearance]:
    """One camera's appearances, without end and in order of their start."""
    for number in count():
        turn, place = divmod(number, present)
        started_at = BEGIN + turn * BETWEEN + place * BETWEEN / present
        ended_at = started_at + timedelta(seconds=20 + number % 7)
        person = f"{camera:08x}-0000-4000-8000-{place + present * (turn // SIGHTINGS):012x}"
        key = f"{camera:08x}-0000-4000-9000-{number:012x}"
        yield Appearance(
            appearance_key=key,
            appearance_id=key,
            camera_id=f"6b1f0c52-3c0e-4d0c-9a35-{camera:012x}",
            subject_id=person,
            person_id=person,
            started_at=started_at,
            ended_at=ended_at,
            reported_at=ended_at,
            source=f"upload:5f0c1a52#{number}",
            age_group=("20-29", "30-39", "other")[number % 3],
            gender=("male", "female")[place % 2],
            camera_description="Parking entrance",
            camera_group="Riverside",
            department="Supermarkets",
            division="North",
            zone="Back door",
            extra=EXTRA,
        )


@cache
def bulk(appearances: int, cameras: Sequence[int] = range(CAMERAS)) -> Records:
    """Envelopes of 500 of one camera, as an upload's are; the cameras take turns."""
    each = appearances // len(cameras)
    of_cameras = [
        list(envelopes(Topic.APPEARANCES, islice(at_camera(camera), each), "upload:5f0c1a52")) for camera in cameras
    ]
    return [record for records in zip(*of_cameras, strict=True) for record in records]


def single(appearances: int, *, skipped: int = 0) -> Records:
    """The same, each in an envelope of its own as live traffic is, after the first `skipped` of every camera."""
    of_cameras = [islice(at_camera(camera), skipped, None) for camera in range(CAMERAS)]
    items = islice((item for turn in zip(*of_cameras, strict=True) for item in turn), appearances)
    return [record for item in items for record in envelopes(Topic.APPEARANCES, [item], "corsight:webhook")]


def bare(appearances: int) -> Records:
    """The same without an envelope: what a system has that knows none."""
    of_cameras = [at_camera(camera) for camera in range(CAMERAS)]
    items = islice((item for turn in zip(*of_cameras, strict=True) for item in turn), appearances)
    return [(item.camera_id.encode(), msgspec.json.encode(item)) for item in items]


@dataclass(frozen=True, slots=True)
class PlainTopic:
    """A topic of the benchmarks' own; its times are the broker's, because Quix Streams hands on those of its input."""

    topic: str
    config: dict[str, str] = field(
        default_factory=lambda: {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
    )


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


def items_of(load: Records) -> int:
    """A record without an envelope counts as one."""
    values = (msgspec.json.decode(value, type=_Items) for _, value in load)
    return sum(1 if value.items is None else len(value.items) for value in values)


async def make_topics(bootstrap: str, *names: str) -> None:
    await ensure_topics(bootstrap, [PlainTopic(name) for name in names])


async def fill(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Write the records, and return when Kafka has them."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type="zstd",
        linger_ms=5,
        max_request_size=4 << 20,
        max_batch_size=1 << 20,
    )
    async with producer:
        written = [await producer.send(topic, value, key=key) for key, value in records]
        await asyncio.gather(*written)
