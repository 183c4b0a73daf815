"""Uploaded files."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

UploadStatus = Literal["received", "processing", "needs_decision", "completed", "failed", "cancelled", "withdrawn"]
UploadPhase = Literal["receiving", "parsing", "publishing", "settling", "done"]


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
    occupancy_peak: int | None = Field(None, description="most sessions at once, over all cameras together")
    peak_hour: datetime | None = Field(None, description="start of the hour with the most session starts")
    started_at: datetime | None = Field(None, description="earliest start in the file")
    ended_at: datetime | None = Field(None, description="latest end in the file")


class Upload(BaseModel):
    """A file and what became of its rows.

    `needs_decision`: more of its rows are refused than the limit allows, and the good ones wait; of a large file, those
    from where this showed on. `completed`: Kafka has everything; the phase is then `settling` until the tables behind
    the charts have it too, and `done` from there on.
    """

    upload_id: str
    file_name: str
    kind: Literal["appearances", "insights"] | None
    status: UploadStatus
    phase: UploadPhase | None = Field(description="null once failed, cancelled or withdrawn")
    withdrawing: bool = Field(False, description="what it brought is being taken back")
    sha256: str
    timezone: str
    rows_total: int
    rows_accepted: int
    rows_rejected: int
    rows_waiting: int = Field(0, description="of those accepted, the ones that are imported only if so decided")
    rejects_by_reason: dict[str, int]
    reject_share: float = Field(ge=0, le=1, description="refused rows of all rows so far")
    bytes_done: int
    bytes_total: int
    created_at: datetime
    completed_at: datetime | None
    uploaded_by: str
    error: str | None = None
    warnings: list[str] = []
    summary: UploadSummary | None = None
    duplicate: bool = False


class UploadDecision(BaseModel):
    choice: Literal["import", "drop"] = Field(description="take the good rows, or none at all")


class UploadPage(BaseModel):
    items: list[Upload]
    next_cursor: str | None
