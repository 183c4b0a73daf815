"""Which readable appearances still cannot be taken. All readers of the topic ask here, or a report would both be
quarantined by one and stored by another."""

from datetime import datetime, timedelta

from services.common.events.appearances import Appearance
from services.common.events.common import EARLIEST, LATEST


def refusal(report: Appearance, record_key: bytes | None, max_dwell: timedelta) -> tuple[str, str] | None:
    """(reason code, reason) why the report is refused, or None.

    Gateway and connector never send such reports; a stranger's producer might, and one of them would spoil the state
    for good: another camera's key puts it on the wrong partition, years of dwell fill thousands of time slots.
    """
    key = record_key.decode(errors="replace") if record_key is not None else None
    if report.camera_id != key:
        return "schema_violation", f"the record's key is {key!r}, the camera {report.camera_id!r}"
    if not EARLIEST <= report.started_at <= report.ended_at <= LATEST:
        return (
            implausible_instant(report.started_at)
            or implausible_instant(report.ended_at)
            or ("negative_dwell", f"{report.ended_at} lies before {report.started_at}")
        )
    if report.ended_at - report.started_at > max_dwell:
        return "implausible_dwell", f"a dwell of {report.ended_at - report.started_at} is above {max_dwell}"
    return None


def implausible_instant(instant: datetime) -> tuple[str, str] | None:
    """(reason code, reason) why no event can lie there, or None."""
    if EARLIEST <= instant <= LATEST:
        return None
    return "bad_timestamp", f"{instant} lies outside the years 1973 to 5138"
