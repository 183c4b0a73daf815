"""The only place that reads the wall clock; decisions take the time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, UTC."""
    return datetime.now(UTC)
