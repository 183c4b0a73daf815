"""What the HTTP interface answers: one pydantic model a resource, the source of the OpenAPI document."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Role = Literal["viewer", "operator", "analyst", "admin"]
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
UploadStatus = Literal["received", "processing", "completed", "failed"]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None


class LoginRequest(BaseModel):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1_024)


class LoginResponse(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")


class User(BaseModel):
    user_id: str
    email: str
    role: Role


class UploadSummary(BaseModel):
    """What this file alone holds, by the formulas of the analytics; null where it has no appearances."""

    visitors: int
    sessions: int
    appearances: int
    insights: int
    cameras: int
    dwell_avg_seconds: float | None = None
    dwell_median_seconds: float | None = None
    dwell_p95_seconds: float | None = None
    dwell_max_seconds: float | None = None
    occupancy_peak: int | None = None
    peak_hour: int | None = Field(None, description="hour of the day, 0-23, in the upload's zone")
    started_at: datetime | None = Field(None, description="earliest start in the file")
    ended_at: datetime | None = Field(None, description="latest end in the file")


class Upload(BaseModel):
    upload_id: str
    file_name: str
    kind: Literal["appearances", "insights"] | None
    status: UploadStatus
    sha256: str
    timezone: str
    rows_total: int
    rows_accepted: int
    rows_rejected: int
    rejects_by_reason: dict[str, int]
    bytes_done: int
    bytes_total: int
    created_at: datetime
    completed_at: datetime | None
    uploaded_by: str
    error: str | None = None
    warnings: list[str] = []
    summary: UploadSummary | None = None
    duplicate: bool = False


class UploadPage(BaseModel):
    items: list[Upload]
    next_cursor: str | None


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
    occupancy_peak: int
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
    occupancy_peak: int
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


class Session(BaseModel):
    session_id: str
    camera_id: str
    camera_description: str | None
    subject_id: str
    started_at: datetime
    ended_at: datetime
    dwell_seconds: float
    visible_seconds: float
    appearance_count: int
    age_group: str
    gender: str
    open: bool


class SessionPage(BaseModel):
    items: list[Session]
    next_cursor: str | None
    total: int


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
    kind: Literal["dwell_exceeded", "occupancy_exceeded"]
    threshold: float = Field(ge=0)
    severity: Literal["low", "medium", "high"] = "medium"
    camera_ids: list[Annotated[str, Field(min_length=1, max_length=512, pattern=PRINTABLE)]] = Field([], max_length=500)
    cooldown_seconds: float = Field(300.0, ge=0)
    enabled: bool = True


class AlertRule(AlertRuleDraft):
    rule_id: str
    version: int
    updated_at: datetime


class QuarantineItem(BaseModel):
    quarantine_id: str
    camera_id: str | None
    source: str
    reason_code: str
    reason: str
    quarantined_at: datetime
    raw: str = Field(description="as text; bytes that are no UTF-8 are replaced")


class QuarantinePage(BaseModel):
    items: list[QuarantineItem]
    next_cursor: str | None
    total: int
    by_reason: dict[str, int]


class FilterCamera(BaseModel):
    camera_id: str
    description: str | None
    camera_group: str | None
    department: str | None
    division: str | None
    zone: str | None
    camera_category: Literal["cashier", "entrance", "store"]


class FilterOptions(BaseModel):
    cameras: list[FilterCamera]
    age_groups: list[str]
    genders: list[str]
    site_timezone: str
    first_day: date | None = Field(description="first day with data, in the site's zone")
    last_day: date | None


class Source(BaseModel):
    source: str
    state: Literal["live", "delayed", "stale"]
    heartbeat_at: datetime
    newest_event_at: datetime | None
    cameras: int


class Sources(BaseModel):
    sources: list[Source]
    sink_lag_records: int | None = Field(
        description="records in Kafka that PostgreSQL does not hold yet; null while Kafka does not say"
    )


class Live(BaseModel):
    url: str = Field(description="address of the socket that pushes alerts")
