"""Alerts as tests need them."""

from datetime import UTC, datetime, timedelta

from services.common.events.alerts import Alert

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def alert(
    number: int,
    *,
    camera_id: str = "c1",
    severity: str = "high",
    live: bool = True,
    status: str = "open",
    revision: int = 1,
) -> Alert:
    return Alert(
        alert_id=f"alert-{number}",
        kind="dwell_exceeded",
        severity=severity,
        camera_id=camera_id,
        event_time=NOON + timedelta(seconds=number),
        measured=700.0,
        threshold=600.0,
        rule_id="r",
        rule_version=1,
        rule_name="Long wait",
        status="open",
        live=live,
        revision=1,
    )
