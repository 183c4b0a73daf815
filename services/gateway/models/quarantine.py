"""What was refused."""

from datetime import datetime

from pydantic import BaseModel, Field


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
