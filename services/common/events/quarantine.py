"""What was refused, and why."""

from typing import Annotated

from msgspec import Meta, Struct

from services.common.events.common import Instant

UNKNOWN_EVENT_TYPE = "unknown_event_type"
"""Kept for whoever wants to know what else the vendor sends; it is no fault, and no source counts it as one."""

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
    UNKNOWN_EVENT_TYPE: "for information: an event of a type that is not counted",
}
"""Reason code → plain words. The codes are those of the quarantine and of `rejects_by_reason`."""

SUGGESTIONS = {
    "missing_person": "Fill in person_id: without it nobody knows who was seen.",
    "missing_camera": "Fill in camera_id: the camera that saw the person.",
    "missing_start": "Fill in the time at which the person came into view.",
    "missing_end": "Fill in the time at which the person left; for somebody still there, take it from a later export.",
    "bad_timestamp": "Write the time as 2026-03-10 14:05:00. Where the clocks skip that hour, the time zone is wrong.",
    "timestamp_precision_lost": "Export again and do not open the file in a spreadsheet: the lost digits are gone.",
    "negative_dwell": "See whether start and end are swapped, or in different time zones.",
    "implausible_dwell": "See whether the end belongs to this start: a date may be wrong.",
    "future_timestamp": "See whether the time zone of the upload is that of the file, and the camera's clock is right.",
    "wrong_field_count": "Put quotes around a cell that holds a delimiter or a line break, and close every quote.",
    "bad_json": "Mend the quotes, commas and brackets of this element.",
    "bad_encoding": "Save the file as UTF-8, or type the damaged characters anew.",
    "schema_violation": "Correct the value that the reason names.",
    "too_large": "Leave out pictures and other long values.",
    UNKNOWN_EVENT_TYPE: "Nothing is wrong. It is kept as it came, should this type of event be of use one day.",
}
"""Reason code → what whoever sent the row can do about it."""


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
