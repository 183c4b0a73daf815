"""What of a readable insight event still cannot be taken: the last gate before the state."""

from datetime import timedelta

from services.common.events.admission import implausible_instant
from services.common.events.insights import InsightEvent


def refusal(event: InsightEvent, record_key: str | None, max_duration: timedelta) -> tuple[str, str] | None:
    """(reason code, reason) why the event is refused, or None.

    Gateway and connector never send such events; one of a stranger's could sit on another camera's partition, or
    spread over years of time slots.
    """
    if event.camera_id != record_key:
        return "schema_violation", f"the record's key is {record_key!r}, the camera {event.camera_id!r}"
    if event.duration_seconds > max_duration.total_seconds():
        return "implausible_dwell", f"a duration of {event.duration_seconds} s is above {max_duration}"
    return implausible_instant(event.started_at) or implausible_instant(
        event.started_at + timedelta(seconds=event.duration_seconds)
    )
