"""The vendor's shapes: its events, the rows of its history and its cameras, as JSON has them."""

import base64
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from services.ingest.layout import CAMERAS, ShopCamera
from services.ingest.simulator.feed import FIRST, Message, Report
from services.ingest.simulator.shop import UNDECIDED, Crowd, Person

NAMESPACE = uuid.UUID("4a6f1f5e-0c1d-4e0b-8d3e-7f5a90b1c2d3")

CROP_BYTES = 3500
"""A crop of the usual size: three quarters of its message."""
CROPS = 16

RECORDED_BEFORE = timedelta(days=3)

Shape = dict[str, Any]

CAMERA_STATUSES = [{"camera_id": camera.camera_id, "status": "running"} for camera in CAMERAS]


class Shapes:
    """Ids hold the run's seed and start: another run with the same seed has the same people, not the same tracks."""

    def __init__(self, seed: int, begins_at: datetime, *, crops: bool) -> None:
        self._run = f"{seed}/{begins_at.timestamp():.6f}"
        random = Random(seed)  # noqa: S311 - nothing here is secret
        pictures = [b"\xff\xd8\xff\xe0" + random.randbytes(CROP_BYTES) for _ in range(CROPS if crops else 0)]
        self._crops = [base64.b64encode(picture).decode() for picture in pictures]

    def appearance_id(self, number: int) -> str:
        return self._id("track", number)

    def person_id(self, person: Person) -> str:
        """Who it is, as the vendor's clusters of faces know; the live feed does not tell."""
        if person.poi_id is not None:
            return str(uuid.uuid5(NAMESPACE, person.poi_id))
        return self._id("person", person.number)

    def event_id(self, message: Message) -> str:
        if isinstance(message, Report):
            return self._id("event", message.sighting.number, message.seen_at.timestamp(), message.trigger)
        return self._id("crowd" if isinstance(message, Crowd) else "status", message.sent_at.timestamp())

    def event(self, message: Message) -> Shape:
        head = {"event_id": self.event_id(message), "msg_send_timestamp": message.sent_at.timestamp()}
        if isinstance(message, Report):
            return {"event_type": "appearance", **head, **self._blocks(message), **_of_push(message)}
        if isinstance(message, Crowd):
            return {"event_type": "generative_insight", **head, **_insight(message)}
        return {"event_type": "server_status", **head, "cameras": CAMERA_STATUSES}

    def recorded_event(self, report: Report) -> Shape:
        """The same walk in a video of some days ago, which a camera looks through now."""
        then = {name: getattr(report, name) - RECORDED_BEFORE for name in ("started_at", "seen_at", "sent_at")}
        event = self.event(replace(report, **then))
        event["event_id"] = self._id("recorded", event["event_id"])
        event["camera_data"] = {**event["camera_data"], "analysis_mode": "forensics"}
        event["appearance_data"]["appearance_id"] = self._id("recorded", event["appearance_data"]["appearance_id"])
        return event

    def unknown_event(self, message: Message) -> Shape:
        """Of a type that later versions may have."""
        event_id = self._id("tampering", self.event_id(message))
        head = {"event_id": event_id, "msg_send_timestamp": message.sent_at.timestamp()}
        return {"event_type": "camera_tampering", **head, "camera_data": camera_data(CAMERAS[0])}

    def row(self, report: Report, *, flat: bool, named: bool) -> Shape:
        """A row of the history: `flat` has the appearance's id at the top, `named` tells the person too."""
        row = {
            "event_type": "appearance",
            "event_id": self.event_id(report),
            "msg_send_timestamp": report.sent_at.timestamp(),
            **self._blocks(report),
        }
        track = row["appearance_data"]
        track["utc_time_ended"] = report.sent_at.timestamp() if report.is_last else None
        if flat:
            row["appearance_id"] = track.pop("appearance_id")
        if named:
            row["person_id"] = self.person_id(report.sighting.person)
        return row

    def _blocks(self, report: Report) -> Shape:
        sighting, seen_at = report.sighting, report.seen_at.timestamp()
        started_at = report.started_at.timestamp()
        frame = int((seen_at - started_at) * 10)
        left = 80 + 97 * sighting.number % 1100
        box = {"x1": left, "y1": 210, "x2": left + 52, "y2": 283}
        return {
            "camera_data": camera_data(sighting.camera),
            "frame_data": {
                "utc_time_recorded": seen_at,
                "utc_time_zone": 0,
                "frame_id": 1000 + frame,
                "frame_width": 1280,
                "frame_height": 720,
                "bounding_box": box,
            },
            "appearance_data": {
                "appearance_id": self.appearance_id(sighting.number),
                "utc_time_started": started_at,
                "first_frame_id": 1000,
                "fs_store": False,
                "fs_update": False,
            },
            "crop_data": {
                "frame_id": 1000 + frame // 2,
                "frame_timestamp": started_at,
                "norm": 31.5,
                "detector_score": 0.83,
                "face_frame_pts": 2_330_342_766,
                "bbox": box,
                "face_score": 96.0 + sighting.number % 20,
                "face_crop_img": self._crops[sighting.number % CROPS] if self._crops else None,
                "masked_score": None,
            },
            "match_data": _match_data(poi_of(report), seen_at),
            "face_features_data": _features(report),
        }

    def _id(self, *parts: object) -> str:
        return str(uuid.uuid5(NAMESPACE, "/".join(map(str, (self._run, *parts)))))


def is_decided(report: Report) -> bool:
    """The first look is too short to tell who and of what age somebody is."""
    return report.trigger != FIRST


def poi_of(report: Report) -> str | None:
    return report.sighting.person.poi_id if is_decided(report) else None


@cache
def camera_data(camera: ShopCamera) -> Shape:
    return {
        "camera_id": camera.camera_id,
        "stream_id": str(uuid.uuid5(NAMESPACE, camera.camera_id)),
        "camera_description": camera.description,
        "node_id": "",
        "analysis_mode": "live",
        "camera_notes": {"properties": {}, "free_notes": f"{camera.zone}, 2½ m above the floor"},
        "record_frames": False,
        "camera_group_data": {
            "group_name": camera.camera_group,
            "group_departemen": camera.department,
            "group_divisi": camera.division,
        },
    }


def _of_push(report: Report) -> Shape:
    return {
        "updates": {} if report.trigger == FIRST else {"frame_data": ["utc_time_recorded"]},
        "trigger": report.trigger,
        "signature": None,
        "privacy_profile_id": None,
    }


def _features(report: Report) -> Shape:
    person = report.sighting.person
    known = is_decided(report) and person.gender != UNDECIDED
    return {
        "age_group_outcome": person.age_group if known else None,
        "gender_outcome": person.gender if is_decided(report) else None,
        "mask_outcome": "Not_masked",
        "liveness_outcome": UNDECIDED,
    }


def _insight(crowd: Crowd) -> Shape:
    return {
        "camera_data": camera_data(crowd.camera),
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


def _match_data(poi_id: str | None, at: float) -> Shape:
    """A watchlist is listed whether or not it knows the person."""
    return {
        "poi_id": poi_id,
        "poi_display_name": poi_id and poi_id.replace("-", " ").title(),
        "poi_confidence": 88.5 if poi_id else None,
        "utc_time_matched": at if poi_id else None,
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
