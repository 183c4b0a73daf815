"""The topic table: one row a topic, and everything that must agree on it reads it here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from services.common.events.alerts import Alert, AlertRule
from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.quarantine import Quarantined
from services.common.events.sessions import OccupancyMinute, Session

PARTITIONS = 12
"""Of every topic. Growing a keyed topic would move keys between partitions: a new topic and a replay instead."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class Topic(StrEnum):
    APPEARANCES = "appearances.v1"
    APPEARANCES_FORENSIC = "appearances.forensic.v1"
    INSIGHTS = "insights.v1"
    CAMERAS = "cameras.v1"
    SESSIONS = "sessions.v1"
    OCCUPANCY = "occupancy.v1"
    INSIGHTS_MERGED = "insights.merged.v1"
    ALERTS = "alerts.v1"
    ALERT_RULES = "alert.rules.v1"
    QUARANTINE = "quarantine.v1"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    topic: Topic
    item: type[Any]
    key: str
    cleanup: Literal["delete", "compact"]
    retention_days: int | None
    public: bool
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    description: str

    @property
    def config(self) -> dict[str, str]:
        """Kafka topic configuration that must hold on the broker."""
        config: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_days is not None:
            config["retention.ms"] = str(self.retention_days * _DAY_MS)
        if self.cleanup == "compact":
            # Only closed segments are compacted, and heartbeats come every ten seconds: readers start at the beginning.
            config["segment.ms"] = str(_HOUR_MS)
        return config


# fmt: off
TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(Topic.APPEARANCES, Appearance, "camera_id", "delete", 30, True, ("gateway", "ingest"),
              ("processor", "sink"), "raw camera events: the normalised appearance as one report tells it"),
    TopicSpec(Topic.APPEARANCES_FORENSIC, Appearance, "camera_id", "delete", 30, False, ("gateway", "ingest"),
              ("sink",), "the same of recorded video, whose times are the video's: never counted, never an alert"),
    TopicSpec(Topic.INSIGHTS, InsightEvent, "camera_id", "delete", 30, False, ("gateway", "ingest"),
              ("insights",), "raw insight events: crowd and loitering as reported"),
    TopicSpec(Topic.CAMERAS, Camera, "camera_id", "compact", None, False, ("ingest",),
              ("insights", "sink"), "camera descriptions, groups and the heartbeat of sources"),
    TopicSpec(Topic.SESSIONS, Session, "camera_id", "delete", 30, True, ("processor", "sink"),
              ("insights", "sink"), "session revisions"),
    TopicSpec(Topic.OCCUPANCY, OccupancyMinute, "camera_id", "delete", 7, True, ("insights",),
              ("sink",), "camera-minute revisions"),
    TopicSpec(Topic.INSIGHTS_MERGED, MergedInsight, "camera_id", "delete", 30, True, ("insights",),
              ("sink",), "merged insight revisions"),
    TopicSpec(Topic.ALERTS, Alert, "camera_id", "delete", 30, True, ("insights",),
              ("sink", "notifier"), "alert revisions"),
    TopicSpec(Topic.ALERT_RULES, AlertRule, "rule_id", "compact", None, False, ("gateway",),
              ("insights", "sink"), "rules as edited by users"),
    TopicSpec(Topic.QUARANTINE, Quarantined, "camera_id, else source", "delete", 90, False,
              ("gateway", "ingest", "processor", "insights"), ("sink",), "what was refused: reason, source, raw bytes"),
)
# fmt: on

SPECS: dict[Topic, TopicSpec] = {spec.topic: spec for spec in TOPICS}
