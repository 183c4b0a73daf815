"""Alerts and the rules that raise them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.common.events.alerts import MAX_COOLDOWN_SECONDS, MAX_THRESHOLD

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class Alert(BaseModel):
    alert_id: str
    kind: str
    severity: str
    camera_id: str
    camera_description: str | None
    subject_id: str | None
    session_id: str | None
    event_time: datetime
    ended_at: datetime | None
    measured: float
    threshold: float
    rule_id: str
    rule_name: str
    rule_version: int
    status: Literal["open", "resolved"]
    live: bool
    revision: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class AlertPage(BaseModel):
    items: list[Alert]
    next_cursor: str | None
    total: int


class AlertRuleDraft(BaseModel):
    name: str = Field(min_length=1, max_length=120, pattern=PRINTABLE)
    kind: Literal["dwell_exceeded", "occupancy_exceeded", "camera_silent"]
    threshold: float = Field(ge=0, le=MAX_THRESHOLD, allow_inf_nan=False)
    severity: Literal["low", "medium", "high"] = "medium"
    camera_ids: list[Annotated[str, Field(min_length=1, max_length=512, pattern=PRINTABLE)]] = Field([], max_length=500)
    cooldown_seconds: float = Field(300.0, ge=0, le=MAX_COOLDOWN_SECONDS, allow_inf_nan=False)
    enabled: bool = True


class AlertRule(AlertRuleDraft):
    rule_id: str
    version: int
    updated_at: datetime
