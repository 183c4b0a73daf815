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


def recorded_warning(count: int, among: int | None = None) -> str:
    """What whoever sends a file is told of so many rows of recorded video, of the file or of its first `among`."""
    rows = f"{count:,} of the first {among:,} rows" if among else "1 row" if count == 1 else f"{count:,} rows"
    verb = "is" if count == 1 else "are"
    return (
        f"{rows} {verb} of recorded video (forensic), which is kept apart from live figures: it counts as accepted and "
        "shows in no chart"
    )


def is_forensic(told: Mapping[str, Any]) -> bool:
    """Whether a vendor's event (or what is kept of it as extra) is of recorded video, whose times are not of now."""
    camera = told.get("camera_data")
    mode = camera.get("analysis_mode") if isinstance(camera, dict) else told.get("analysis_mode")
    return isinstance(mode, str) and mode != "live" and mode.strip().lower() not in _LIVE
