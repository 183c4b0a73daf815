"""Which way a fact goes: what cameras see now, and what was found in recorded video, which never meets it."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.common.corsight.rows import NULL_WORDS
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.topics import Topic

_LIVE = NULL_WORDS | {"live", "not_determined"}
"""In lower case, what `analysis_mode` says of a camera that watches what happens now, or where nobody says."""


def lane_of(fact: Appearance | InsightEvent) -> Topic:
    if isinstance(fact, InsightEvent):
        return Topic.INSIGHTS
    return Topic.APPEARANCES_FORENSIC if is_forensic(fact.extra) else Topic.APPEARANCES


def by_lane(facts: Iterable[Any]) -> dict[Topic, list[Any]]:
    """The appearances and insight events by the topic that they belong to, in order."""
    lanes: dict[Topic, list[Any]] = {}
    for fact in facts:
        lanes.setdefault(lane_of(fact), []).append(fact)
    return lanes


def is_forensic(told: Mapping[str, Any]) -> bool:
    """Whether a vendor's event (or what is kept of it as extra) is of recorded video, whose times are not of now."""
    camera = told.get("camera_data")
    mode = camera.get("analysis_mode") if isinstance(camera, dict) else told.get("analysis_mode")
    return isinstance(mode, str) and mode != "live" and mode.strip().lower() not in _LIVE
