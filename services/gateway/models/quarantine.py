"""What was refused, and what is to become of it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_ROWS = 500
"""Named one by one in a request."""

MAX_EDITED_CHARS = 65_536

_Id = Annotated[str, Field(min_length=1, max_length=64)]

# The trail of what people did cannot hold a NUL.
_Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


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


class QuarantineSample(BaseModel):
    quarantine_id: str
    raw: str = Field(description="as text; bytes that are no UTF-8 are replaced")


class QuarantineGroup(BaseModel):
    """The open rows that were refused for one reason."""

    reason_code: str
    reason: str = Field(description="the reason code in plain words")
    suggestion: str = Field(description="what whoever sent the rows can do about it")
    count: int
    newest_at: datetime
    sample: QuarantineSample = Field(description="the newest of them")


class QuarantineGroups(BaseModel):
    items: list[QuarantineGroup] = Field(description="the largest first")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EditedRow(_Request):
    quarantine_id: _Id
    raw: str | None = Field(None, max_length=MAX_EDITED_CHARS, description="the row as it should read; null: as it is")


class ReplayRows(_Request):
    """Single rows, each with its correction."""

    items: list[EditedRow] = Field(min_length=1, max_length=MAX_ROWS)


class FieldFix(_Request):
    """Replace text in one field of every row."""

    field: _Text = Field(
        min_length=1,
        max_length=256,
        description="a column of the file, or the field that it stands for; of JSON the path, as in"
        " `camera_data.camera_id`; `raw` is the whole row",
    )
    find: _Text = Field(
        max_length=1_024, description="every occurrence is replaced; empty: fills the field where it is blank"
    )
    replace: _Text = Field(max_length=1_024)


class ZoneFix(_Request):
    """Read times that name no zone in another one than the upload's."""

    timezone: str = Field(description="IANA zone")


class OpenRows(_Request):
    """Every open row of one reason, of all sources that begin as named."""

    reason_code: str = Field(min_length=1, max_length=64)
    source: str = Field("", max_length=512, description="prefix, such as `upload:<id>`; empty: every source")


class ReplayGroup(OpenRows):
    """One correction for every row of a group."""

    fix: FieldFix | ZoneFix
    cursor: str | None = Field(None, description="the `next_cursor` of the answer before")


class DismissRows(_Request):
    quarantine_ids: list[_Id] = Field(min_length=1, max_length=MAX_ROWS)


class StillRejected(BaseModel):
    quarantine_id: str
    reason_code: str
    reason: str


class ReplayResult(BaseModel):
    """Of the rows of this call; `replayed` counts those that were open."""

    replayed: int = 0
    accepted: int = Field(0, description="in Kafka, and out of the quarantine")
    rejected: list[StillRejected] = Field(
        [], description="unchanged in the quarantine; why the corrected row is refused"
    )
    remaining: int = Field(0, description="rows of the group that this call did not come to")
    next_cursor: str | None = Field(None, description="goes on with them; null when the group is through")


class DismissResult(BaseModel):
    dismissed: int
