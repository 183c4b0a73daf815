"""The connector's sources, and what one may ask of them."""

from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator


class SourceError(BaseModel):
    at: datetime
    text: str


class MissedSpan(BaseModel):
    since: datetime
    until: datetime
    reason: str


class FinishedBackfill(BaseModel):
    """What a span that somebody asked for came to; rows that are neither accepted nor rejected are of unknown types."""

    since: datetime
    until: datetime
    finished_at: datetime
    rows: int | None = Field(description="read from what the camera system keeps; null where it failed")
    accepted: int | None
    rejected: int | None
    error: str | None = Field(description="why it failed, in plain words")


class Source(BaseModel):
    """Counts are of elements as they came: one that comes twice counts twice here, and once in every chart."""

    name: str
    kind: str
    refillable: bool = Field(description="can fetch what lies in the past, so that a back-fill may be asked for")
    state: Literal["starting", "live", "catching_up", "retrying", "paused", "failed"]
    detail: str = Field(description="the state in plain words")
    newest_event_at: datetime | None
    lag_seconds: float | None = Field(
        description="from the newest report of the last delivery to its arrival here; null before the first"
    )
    events_per_minute: int = Field(description="accepted in the last minute")
    accepted: int
    rejected: int
    unknown: int = Field(description="of types that nobody knows: kept in the quarantine, and no fault")
    errors: list[SourceError] = Field(description="newest first, at most 10")
    next_retry_at: datetime | None
    cursor_at: datetime | None = Field(description="before this nothing is missing")
    missed: list[MissedSpan] = Field(description="spans of which events may be lacking")
    last_backfill: FinishedBackfill | None = Field(description="the one that ended last; null before the first")
    warnings: list[str]
    paused: bool = Field(description="as somebody asked; the state follows within a second")
    updated_at: datetime
    stale: bool = Field(description="the connector has not spoken for 15 s, and all the rest is as it was then")


class Sources(BaseModel):
    items: list[Source]
    sink_lag_records: int | None = Field(
        description="records in Kafka that PostgreSQL does not hold yet; null while Kafka does not say"
    )


class SourceTest(BaseModel):
    ok: bool
    detail: str = Field(description="what was found, in a sentence")


class Backfill(BaseModel):
    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.since >= self.until:
            raise ValueError("since must lie before until")
        return self
