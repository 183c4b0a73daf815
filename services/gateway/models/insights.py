"""Merged insights, and how they go with occupancy."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class MergedInsight(BaseModel):
    insight_id: str
    kind: str
    camera_id: str
    camera_description: str | None
    started_at: datetime
    duration_seconds: float
    subject_id: str | None
    people_count: int | None
    severity: str | None
    age_group: str
    gender: str
    source: str
    window_started_at: datetime
    window_ended_at: datetime
    occupancy_at_event: int
    occupancy_peak: int
    occupancy_avg: float
    baseline_avg: float
    sessions_in_window: int
    session_id: str | None
    session_dwell_seconds: float | None
    match: Literal["matched", "no_occupancy"]
    revision: int


class MergedInsightDetail(MergedInsight):
    raw: dict[str, Any]


class MergedInsightPage(BaseModel):
    items: list[MergedInsight]
    next_cursor: str | None
    total: int


class Correlation(BaseModel):
    """Pearson r between the hourly number of insights and the hourly mean occupancy."""

    pearson_r: float | None = Field(description="null under 8 hours, or where one of the two never varies")
    n: int = Field(description="hours that have occupancy or insights")


class InsightHour(BaseModel):
    hour: datetime
    insights: int
    occupancy_avg: float


class InsightHours(BaseModel):
    timezone: str
    points: list[InsightHour]
