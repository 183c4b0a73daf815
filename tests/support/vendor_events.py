"""Events in the vendor's shape."""

from datetime import UTC, datetime
from typing import Any

from services.common.corsight.chunks import RowRules
from services.common.corsight.event import normalise_event
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOON_EPOCH = NOON.timestamp()


def appearance_event(
    number: int = 1, *, now: float = NOON_EPOCH, camera_id: str = "c1", analysis_mode: str = "live"
) -> dict[str, Any]:
    """Somebody who came 30 s ago and is still there."""
    return {
        "event_type": "appearance",
        "event_id": f"event-{number}",
        "msg_send_timestamp": now,
        "camera_data": {"camera_id": camera_id, "camera_description": "Main entrance", "analysis_mode": analysis_mode},
        "frame_data": {"utc_time_recorded": now},
        "appearance_data": {"appearance_id": f"track-{number}", "utc_time_started": now - 30},
        "crop_data": {"face_crop_img": "AAAA", "face_score": 101.5},
    }


def live_event(number: int = 1, *, now: float = NOON_EPOCH, camera_id: str = "c1", picture: str = "") -> dict[str, Any]:
    """The same with all fields that the live feed has."""
    watchlist = {
        "watchlist_id": "",
        "watchlist_type": "whitelist",
        "match_outcome": "not_determined",
        "display_name": None,
        "display_color": "#dc0000",
        "sound_on_alert": False,
        "severity": 0,
    }
    box = {"x1": 612, "y1": 204, "x2": 664, "y2": 277}
    return {
        "event_type": "appearance",
        "event_id": f"e0000000-0000-4000-8000-{number:012x}",
        "msg_send_timestamp": round(now, 6),
        "camera_data": {
            "camera_id": camera_id,
            "stream_id": "57ea0000-0000-4000-8000-000000000001",
            "camera_description": "Main entrance",
            "node_id": "",
            "analysis_mode": "live",
            "camera_notes": {"properties": {}, "free_notes": ""},
            "record_frames": False,
        },
        "frame_data": {
            "utc_time_recorded": round(now - 10.04, 6),
            "utc_time_zone": -3,
            "frame_id": 93206,
            "frame_width": 1280,
            "frame_height": 720,
            "bounding_box": box,
        },
        "appearance_data": {
            "appearance_id": f"a0000000-0000-4000-8000-{number:012x}",
            "utc_time_started": round(now - 26.8, 6),
            "first_frame_id": 93041,
            "fs_store": False,
            "fs_update": False,
        },
        "crop_data": {
            "frame_id": 93055,
            "frame_timestamp": round(now - 25.4, 6),
            "norm": 31.5,
            "detector_score": 0.826,
            "face_frame_pts": 2330342766,
            "bbox": box,
            "face_score": 102.6,
            "pitch": -17.8,
            "yaw": 65.6,
            "face_crop_img": picture,
            "masked_score": None,
        },
        "match_data": {
            "poi_id": None,
            "poi_display_name": None,
            "poi_display_img": None,
            "poi_notes": None,
            "poi_confidence": None,
            "utc_time_matched": None,
            "watchlists": [watchlist],
        },
        "face_features_data": {
            "age_group_outcome": None,
            "gender_outcome": None,
            "mask_outcome": None,
            "liveness_outcome": None,
        },
        "updates": {"crop_data": ["face_crop_img"]},
        "trigger": 2,
        "signature": None,
        "privacy_profile_id": "9a17acee-0000-4000-8000-000000000001",
    }


def crowd_event(now: float = NOON_EPOCH) -> dict[str, Any]:
    return {
        "event_type": "generative_insight",
        "event_id": "crowd-1",
        "msg_send_timestamp": now,
        "camera_data": {"camera_id": "c1"},
        "generative_insight": {"insight_name": "crowd", "generative_insight_config": {"people_count": 9}},
    }


def fact_of(event: dict[str, Any]) -> Appearance | InsightEvent:
    return normalise_event(event, source="corsight:webhook", rules=RowRules(NOON))


STATUS_EVENT: dict[str, Any] = {"event_type": "server_status", "event_id": "s", "cameras": []}
