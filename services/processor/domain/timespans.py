"""Stretches of time, both ends included."""

from datetime import datetime

TimeSpan = tuple[datetime, datetime]


def touch(span: TimeSpan | None, start: datetime, end: datetime) -> bool:
    return span is not None and start <= span[1] and end >= span[0]


def hull(span: TimeSpan | None, start: datetime, end: datetime) -> TimeSpan:
    """The shortest that holds the span, if there is one, and ``[start, end]``."""
    return (start, end) if span is None else (min(span[0], start), max(span[1], end))
