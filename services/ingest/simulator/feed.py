"""What the vendor would send of it: events in its shape, each at its time."""

import heapq
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from services.ingest.layout import CAMERAS, ShopCamera
from services.ingest.simulator.shop import UNDECIDED, Crowd, Happening, Sighting

FIRST_AFTER = timedelta(seconds=2)
UPDATE_EVERY = timedelta(seconds=6)
"""The vendor sends at most one event of a track in 5 s."""

GONE_AFTER = timedelta(seconds=2)
STATUS_EVERY = timedelta(seconds=10)

FIRST, UPDATE, LAST = 0, 1, 2
"""Values of `trigger`."""

_NAMESPACE = uuid.UUID("4a6f1f5e-0c1d-4e0b-8d3e-7f5a90b1c2d3")

Event = dict[str, Any]


class Feed:
    """The events of a run, in the order in which they are sent.

    Ids hold the run's start: a second run with the same seed sees the same people again, not the same tracks.
    """

    def __init__(self, seed: int, started_at: datetime) -> None:
        self._run = f"{seed}/{started_at.timestamp():.6f}"
        self._started_at = started_at

    def events(self, happenings: Iterable[Happening]) -> Iterator[tuple[datetime, Event]]:
        """(when it is sent, the event); what was sent before the start is told in short, once for each track."""
        past: dict[str, tuple[datetime, Event]] = {}
        for sent_at, event in self._in_order(happenings):
            if sent_at <= self._started_at and "appearance_data" in event:
                past[event["appearance_data"]["appearance_id"]] = (sent_at, event)
                continue
            yield from sorted(past.values(), key=lambda sent: sent[0])
            past.clear()
            yield sent_at, event

    def statuses(self) -> Iterator[tuple[datetime, Event]]:
        at = self._started_at
        while True:
            yield at, self._status(at)
            at += STATUS_EVERY

    def _in_order(self, happenings: Iterable[Happening]) -> Iterator[tuple[datetime, Event]]:
        """Nothing is sent before its arrival, so all that is due before the next arrival is complete."""
        waiting: list[tuple[datetime, int, Event]] = []
        number = 0
        for arrives_at, happening in happenings:
            while waiting and waiting[0][0] < arrives_at:
                sent_at, _, event = heapq.heappop(waiting)
                yield sent_at, event
            for sent_at, event in chain.from_iterable(map(self._of, happening)):
                number += 1
                heapq.heappush(waiting, (sent_at, number, event))

    def _of(self, happening: Sighting | Crowd) -> Iterator[tuple[datetime, Event]]:
        if isinstance(happening, Crowd):
            yield happening.started_at + timedelta(seconds=5), self._crowd(happening)
            return
        seen_at, trigger = min(happening.started_at + FIRST_AFTER, happening.ended_at), FIRST
        while seen_at < happening.ended_at:
            yield seen_at, self._appearance(happening, seen_at, seen_at, trigger)
            seen_at, trigger = seen_at + UPDATE_EVERY, UPDATE
        sent_at = happening.ended_at + GONE_AFTER
        yield sent_at, self._appearance(happening, happening.ended_at, sent_at, LAST)

    def _appearance(self, sighting: Sighting, seen_at: datetime, sent_at: datetime, trigger: int) -> Event:
        person = sighting.person
        decided = person.gender != UNDECIDED
        frame = int((seen_at - sighting.started_at).total_seconds() * 10)
        left = 80 + 97 * sighting.number % 1100
        box = {"x1": left, "y1": 210, "x2": left + 52, "y2": 283}
        return {
            "event_type": "appearance",
            "event_id": self._id("event", sighting.number, seen_at.timestamp(), trigger),
            "msg_send_timestamp": sent_at.timestamp(),
            "camera_data": _camera_data(sighting.camera),
            "frame_data": {
                "utc_time_recorded": seen_at.timestamp(),
                "utc_time_zone": 0,
                "frame_id": 1000 + frame,
                "frame_width": 1280,
                "frame_height": 720,
                "bounding_box": box,
            },
            "appearance_data": {
                "appearance_id": self._id("track", sighting.number),
                "utc_time_started": sighting.started_at.timestamp(),
                "first_frame_id": 1000,
                "fs_store": False,
                "fs_update": False,
            },
            "crop_data": {
                "frame_id": 1000 + frame // 2,
                "frame_timestamp": sighting.started_at.timestamp(),
                "norm": 31.5,
                "detector_score": 0.83,
                "bbox": box,
                "face_score": 96.0 + sighting.number % 20,
                "face_crop_img": None,
                "masked_score": None,
            },
            "match_data": _match_data(person.poi_id, seen_at),
            "face_features_data": {
                "age_group_outcome": person.age_group if decided else None,
                "gender_outcome": person.gender,
                "mask_outcome": "Not_masked",
                "liveness_outcome": UNDECIDED,
            },
            "updates": {} if trigger == FIRST else {"frame_data": ["utc_time_recorded"]},
            "trigger": trigger,
            "signature": None,
            "privacy_profile_id": None,
        }

    def _crowd(self, crowd: Crowd) -> Event:
        return {
            "event_type": "generative_insight",
            "event_id": self._id("crowd", crowd.started_at.timestamp()),
            "msg_send_timestamp": (crowd.started_at + timedelta(seconds=5)).timestamp(),
            "camera_data": _camera_data(crowd.camera),
            "frame_data": {"utc_time_recorded": crowd.started_at.timestamp(), "utc_time_zone": 0},
            "generative_insight": {
                "insight_name": "crowd",
                "generative_insight_config": {
                    "people_count": crowd.people_count,
                    "duration_seconds": crowd.duration_seconds,
                    "severity": "medium",
                },
            },
        }

    def _status(self, at: datetime) -> Event:
        return {
            "event_type": "server_status",
            "event_id": self._id("status", at.timestamp()),
            "msg_send_timestamp": at.timestamp(),
            "cameras": [{"camera_id": camera.camera_id, "status": "running"} for camera in CAMERAS],
        }

    def _id(self, *parts: object) -> str:
        return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, (self._run, *parts)))))


def _camera_data(camera: ShopCamera) -> Event:
    return {
        "camera_id": camera.camera_id,
        "stream_id": str(uuid.uuid5(_NAMESPACE, camera.camera_id)),
        "camera_description": camera.description,
        "node_id": "",
        "analysis_mode": "live",
        "camera_notes": {"properties": {}, "free_notes": ""},
        "record_frames": False,
        "camera_group_data": {
            "group_name": camera.camera_group,
            "group_departemen": camera.department,
            "group_divisi": camera.division,
        },
    }


def _match_data(poi_id: str | None, at: datetime) -> Event:
    """A watchlist is listed whether or not it knows the person."""
    return {
        "poi_id": poi_id,
        "poi_display_name": poi_id and poi_id.replace("-", " ").title(),
        "poi_confidence": 88.5 if poi_id else None,
        "utc_time_matched": at.timestamp() if poi_id else None,
        "watchlists": [
            {
                "watchlist_id": "0d4b2f6e-95c5-4f7e-9f3a-6f1f0d2b7a11" if poi_id else "",
                "watchlist_type": "whitelist",
                "match_outcome": "matched" if poi_id else UNDECIDED,
                "display_name": "Regulars",
                "display_color": "#2c7be5",
                "severity": 0,
            }
        ],
    }
