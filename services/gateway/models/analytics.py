"""Cards and charts."""

from datetime import datetime

from pydantic import BaseModel, Field


class Change(BaseModel):
    """A card's value in the period of the same length before; `ratio` is (now - previous) / previous."""

    previous: float | None
    ratio: float | None


class Summary(BaseModel):
    visitors: int
    visitors_anonymous: int
    visits: int
    sessions: int
    appearances: int
    dwell_avg_seconds: float | None
    dwell_median_seconds: float | None
    dwell_p95_seconds: float | None
    dwell_max_seconds: float | None
    occupancy_now: int
    occupancy_peak: int = Field(description="most sessions at once, over all selected cameras together")
    peak_hour: datetime | None = Field(description="start of the hour with the most session starts")
    repeat_visitors: int
    waiting_violations: int
    open_alerts: int
    data_as_of: datetime | None = Field(description="newest event time stored")
    range_from: datetime
    range_to: datetime
    timezone: str
    compare: dict[str, Change] | None = Field(None, description="by card, with compare=previous")


class OccupancyPoint(BaseModel):
    bucket: datetime = Field(description="start of the bucket, with the offset of the requested zone")
    occupancy_avg: float
    occupancy_peak: int = Field(description="most sessions at once, over all selected cameras together")
    entries: int
    exits: int
    in_progress: bool = Field(description="the bucket has not ended yet")


class OccupancyTimeline(BaseModel):
    bucket_seconds: int
    timezone: str
    points: list[OccupancyPoint]


class HistogramBin(BaseModel):
    from_seconds: float
    to_seconds: float | None = Field(description="null: the overflow bin")
    sessions: int


class DwellHistogram(BaseModel):
    bins: list[HistogramBin]
    sessions: int
    dwell_median_seconds: float | None
    dwell_p95_seconds: float | None


class DemographicGroup(BaseModel):
    age_group: str
    gender: str
    visitors: int
    sessions: int
    dwell_avg_seconds: float | None
    dwell_median_seconds: float | None


class Demographics(BaseModel):
    groups: list[DemographicGroup]
    sessions: int
