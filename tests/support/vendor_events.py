"""Events in the vendor's shape."""

from datetime import UTC, datetime
from typing import Any

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOON_EPOCH = NOON.timestamp()


def appearance_event(number: int = 1, *, now: float = NOON_EPOCH, camera_id: str = "c1") -> dict[str, Any]:
    """Somebody who came 30 s ago and is still there."""
    return {
        "event_type": "appearance",
        "event_id": f"event-{number}",
        "msg_send_timestamp": now,
        "camera_data": {"camera_id": camera_id, "camera_description": "Main entrance"},
        "frame_data": {"utc_time_recorded": now},
        "appearance_data": {"appearance_id": f"track-{number}", "utc_time_started": now - 30},
        "crop_data": {"face_crop_img": "AAAA", "face_score": 101.5},
    }


def crowd_event(now: float = NOON_EPOCH) -> dict[str, Any]:
    return {
        "event_type": "generative_insight",
        "event_id": "crowd-1",
        "msg_send_timestamp": now,
        "camera_data": {"camera_id": "c1"},
        "generative_insight": {"insight_name": "crowd", "generative_insight_config": {"people_count": 9}},
    }


STATUS_EVENT: dict[str, Any] = {"event_type": "server_status", "event_id": "s", "cameras": []}
