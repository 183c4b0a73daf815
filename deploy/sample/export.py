"""The files of the sample, as the vendor writes them."""

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from deploy.sample.visits import Sighting

CSV_NAME = "appearances.csv"
JSON_NAME = "insights.json"

FRAMES_PER_SECOND = 10
_POLYGON = json.dumps([{"x": 0.1, "y": 0.2}, {"x": 0.9, "y": 0.2}, {"x": 0.5, "y": 0.9}])


def write_csv(sightings: Iterable[Sighting], path: Path) -> None:
    rows = [_row(sighting) for sighting in sightings]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_json(report: list[dict[str, Any]], path: Path) -> None:
    path.write_text(json.dumps({"data": report}, indent=1) + "\n", encoding="utf-8")


def _row(sighting: Sighting) -> dict[str, object]:
    # Everything about one appearance comes from its id, so that a row that stands twice is the same twice.
    rng = Random(sighting.appearance_id)  # noqa: S311
    camera, person = sighting.camera, sighting.person
    first_frame = rng.randrange(1_000, 900_000)
    seconds = (sighting.ended_at - sighting.started_at).total_seconds()
    best_at = sighting.started_at + (sighting.ended_at - sighting.started_at) * round(rng.uniform(0.1, 0.9), 2)
    x, y, size = rng.randrange(100, 1_100), rng.randrange(60, 560), rng.randrange(40, 110)
    return {
        "person_id": person.person_id,
        "retain": "FALSE",
        "appearance_category": 3,
        "labeled_outcome": "not_reviewed",
        "event_type": "appearance",
        "event_id": sighting.event_id,
        "utc_time_recorded": _epoch(sighting.ended_at),
        "utc_time_recorded_readable": _readable(sighting.ended_at),
        "appearance_id": sighting.appearance_id,
        "utc_time_started": _epoch(sighting.started_at),
        "utc_time_started_readable": _readable(sighting.started_at),
        "utc_time_ended": _epoch(sighting.ended_at),
        "utc_time_ended_readable": _readable(sighting.ended_at),
        "first_frame_id": first_frame,
        "last_frame_id": first_frame + round(seconds * FRAMES_PER_SECOND),
        "camera_id": camera.shown.camera_id,
        "camera_description": camera.shown.description,
        "node_id": camera.node_id,
        "analysis_mode": "live",
        "record_frames": "FALSE",
        "matching_in_hq": "FALSE",
        "camera_group_data_group_name": camera.shown.camera_group,
        "camera_group_data_group_departemen": camera.shown.department,
        "camera_group_data_group_divisi": camera.shown.division,
        "zone_name": camera.shown.zone,
        "zone_id": camera.zone_id,
        "zone_vertices": _POLYGON,
        "face_score": round(rng.uniform(85, 125), 4),
        "frame_id": first_frame + round((best_at - sighting.started_at).total_seconds() * FRAMES_PER_SECOND),
        "frame_timestamp": _epoch(best_at),
        "frame_timestamp_readable": _readable(best_at),
        "bbox_x1": x,
        "bbox_y1": y,
        "bbox_x2": x + size,
        "bbox_y2": y + round(1.4 * size),
        "watchlist_type": "whitelist",
        "watchlist_display_name": "Staff",
        "watchlist_display_color": "#dc0000",
        "watchlist_severity": 0,
        "match_outcome": "not_determined",
        "age_group_outcome": person.age_group,
        "gender_outcome": person.gender,
        "liveness_outcome": "not_determined",
        "mask_outcome": "not_determined",
    }


def _epoch(instant: datetime) -> str:
    return f"{instant.timestamp():.3f}"


def _readable(instant: datetime) -> str:
    """With its zone, so that it means the same whatever zone an upload names."""
    return instant.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
