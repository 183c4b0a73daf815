"""What an upload would make of a file, told from its first bytes."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class PreviewColumn(BaseModel):
    position: int = Field(description="1-based")
    header: str
    field: str | None = Field(description="what it is taken for; null: kept as it is, or dropped where it is an image")
    confidence: float = Field(ge=0, le=1)
    how: Literal["exact", "alias", "truncated", "fused", "extra", "image"]


class PreviewRow(BaseModel):
    line: int
    reason_code: str | None
    reason: str | None
    item: dict[str, Any] | None = Field(description="the row as it would be taken; null where it would be refused")


class PreviewRefusal(BaseModel):
    """Why the file would be refused whole."""

    status: int
    detail: str


class UploadPreview(BaseModel):
    kind: Literal["appearances", "insights"] | None
    format: Literal["csv", "json", "ndjson"] | None
    gzipped: bool
    encoding: str | None
    delimiter: str | None
    columns: list[PreviewColumn]
    missing: list[str] = Field(description="required fields that no column gives")
    refusal: PreviewRefusal | None
    rows: list[PreviewRow] = Field(description="at most 50")
    zone_matters: bool = Field(
        description="the rows read otherwise in another zone: times in them name none; also where no row could tell"
    )
    warnings: list[str]
