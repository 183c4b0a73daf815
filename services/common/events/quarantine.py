"""What was refused, and why."""

from typing import Annotated

from msgspec import Meta, Struct

from services.common.events.common import Instant

REASONS = {
    "missing_person": "no person_id",
    "missing_camera": "no camera_id",
    "missing_start": "no start time",
    "missing_end": "no end time",
    "bad_timestamp": "a time that cannot be read",
    "timestamp_precision_lost": "an epoch that a spreadsheet rounded",
    "negative_dwell": "the end lies before the start",
    "implausible_dwell": "the dwell is longer than the limit",
    "future_timestamp": "the time lies in the future",
    "wrong_field_count": "the row has another number of fields than the header",
    "bad_json": "not valid JSON",
    "bad_encoding": "not valid text in the file's encoding",
    "schema_violation": "not what the contract says",
    "too_large": "larger than the limit",
}
"""Reason code → plain words. The codes are those of the quarantine and of `rejects_by_reason`."""


class Quarantined(Struct, kw_only=True, frozen=True):
    """One refused row, element or record; the same refusal again has the same `quarantine_id`."""

    quarantine_id: str
    source: Annotated[
        str, Meta(description="upload:<id>#<row>, corsight:<connector> or kafka:<topic>/<partition>/<offset>")
    ]
    reason_code: Annotated[str, Meta(description="one of " + ", ".join(REASONS))]
    reason: str
    quarantined_at: Instant
    raw: Annotated[bytes, Meta(description="what was refused, byte for byte, cut at 64 KiB")]
    camera_id: str | None = None
