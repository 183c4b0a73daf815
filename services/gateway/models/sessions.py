"""Sessions one by one."""

from datetime import datetime

from pydantic import BaseModel


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
