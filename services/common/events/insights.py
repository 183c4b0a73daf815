"""Insight events (crowd, loitering) as reported, and merged with the occupancy around them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from services.common.events.common import OTHER, Instant, Revision, Seconds


class InsightEvent(Struct, kw_only=True, frozen=True):
    """A crowd or loitering event as reported; of two reports with one `insight_id`, the later `reported_at` holds.

    A withdrawn one takes its origin's reports before it in the log back, as if they had never been.
    """

    insight_id: str
    kind: Annotated[str, Meta(description="crowd, loitering, or the vendor's own word")]
    camera_id: str
    started_at: Instant
    reported_at: Instant
    source: str
    duration_seconds: Annotated[Seconds, Meta(description="0 if none was reported")] = 0.0
    subject_id: str | None = None
    people_count: int | None = None
    severity: str | None = None
    age_group: str = OTHER
    gender: str = OTHER
    camera_description: str | None = None
    raw: Annotated[dict[str, Any], Meta(description="the report's own element")] = field(default_factory=dict)
    withdrawn: Annotated[
        bool,
        Meta(
            description="true takes back what this origin (`source` without `#row`) has reported of the event so far; "
            "what other origins reported stays"
        ),
    ] = False


class MergedInsight(Struct, kw_only=True, frozen=True):
    """An insight event with the occupancy in its window ``[started_at - W, started_at + duration + W]``."""

    insight_id: str
    kind: str
    camera_id: str
    started_at: Instant
    duration_seconds: Seconds
    subject_id: str | None
    people_count: int | None
    severity: str | None
    age_group: str
    gender: str
    source: str
    window_started_at: Instant
    window_ended_at: Instant
    occupancy_at_event: Annotated[int, Meta(ge=0)]
    occupancy_peak: Annotated[int, Meta(ge=0)]
    occupancy_avg: Annotated[float, Meta(ge=0)]
    baseline_avg: Annotated[float, Meta(ge=0, description="mean occupancy of the 60 minutes before the window")]
    sessions_in_window: Annotated[int, Meta(ge=0)]
    session_id: Annotated[str | None, Meta(description="the known subject's session that overlaps the event")]
    session_dwell_seconds: float | None
    match: Literal["matched", "no_occupancy"]
    revision: Revision
    raw: dict[str, Any] = field(default_factory=dict)
    withdrawn: Annotated[bool, Meta(description="true when nobody reports the event any more: it is to be dropped")] = (
        False
    )
