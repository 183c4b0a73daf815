"""Alerts and the rules that raise them."""

from typing import Annotated

from msgspec import Meta, Struct, field

from services.common.events.common import Instant, Revision

ALERT_KINDS = (
    "dwell_exceeded",
    "occupancy_exceeded",
    "insight_reported",
    "watchlist_match",
    "camera_silent",
    "occupancy_anomaly",
)
SEVERITIES = ("low", "medium", "high")

MAX_THRESHOLD = 1_000_000.0
MAX_COOLDOWN_SECONDS = 7 * 86_400.0
"""Alerts of the cooldown are kept at hand, so it cannot be without bound."""


class Alert(Struct, kw_only=True, frozen=True):
    """One episode in which a rule was broken: opens once, updates while it lasts, resolves once."""

    alert_id: str
    kind: Annotated[str, Meta(description="one of " + ", ".join(ALERT_KINDS))]
    severity: Annotated[str, Meta(description="one of " + ", ".join(SEVERITIES))]
    camera_id: str
    event_time: Annotated[Instant, Meta(description="when the rule was first broken")]
    measured: float
    threshold: float
    rule_id: str
    rule_version: int
    rule_name: str
    status: Annotated[str, Meta(description="open or resolved")]
    live: Annotated[bool, Meta(description="false when the event was over 10 minutes old when processed")]
    revision: Revision
    subject_id: str | None = None
    session_id: str | None = None
    ended_at: Annotated[Instant | None, Meta(description="latest time at which the rule was still broken")] = None


class AlertRule(Struct, kw_only=True, frozen=True):
    """A rule as its editor saved it; an empty `camera_ids` means every camera. Deletion is `deleted`."""

    rule_id: str
    version: Annotated[int, Meta(ge=1)]
    name: str
    kind: Annotated[
        str, Meta(description="dwell_exceeded, camera_silent (threshold in seconds) or occupancy_exceeded (people)")
    ]
    threshold: Annotated[float, Meta(ge=0, le=MAX_THRESHOLD, description="broken when the measured value is greater")]
    severity: str
    updated_at: Instant
    camera_ids: list[str] = field(default_factory=list)
    cooldown_seconds: Annotated[float, Meta(ge=0, le=MAX_COOLDOWN_SECONDS)] = 300.0
    enabled: bool = True
    deleted: bool = False
