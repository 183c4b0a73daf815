"""Stretches of time that charts count in, cut at the hours and days of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.gateway.errors import InvalidRequestError

MAX_POINTS = 2_000

HOUR = 3_600
DAY = 86_400
WEEK = 7 * DAY
SIZES = (60, 300, 900, HOUR, 6 * HOUR, DAY, WEEK)
"""Seconds. From a day on they are days of the calendar, 23 or 25 hours long where the clocks change."""


def choose_size(start: datetime, end: datetime, requested: int | None) -> int:
    """The requested size, else the smallest that keeps the range within `MAX_POINTS`."""
    seconds = (end - start).total_seconds()
    # A range that is not aligned touches one bucket more.
    fitting = [size for size in SIZES if seconds / size + 1 <= MAX_POINTS]
    if not fitting:
        raise InvalidRequestError("The range is too long for a timeline.")
    if requested is None:
        return fitting[0]
    if requested not in SIZES:
        raise InvalidRequestError(f"`bucket` must be one of {', '.join(map(str, SIZES))} seconds.")
    if requested not in fitting:
        raise InvalidRequestError(f"`bucket` gives more than {MAX_POINTS} points; use {fitting[0]} or more.")
    return requested


def edges(start: datetime, end: datetime, size: int, zone: ZoneInfo) -> list[datetime]:
    """Starts of the buckets that hold ``[start, end)``, and the end of the last: rising UTC instants."""
    found = [_floor(start, size, zone)]
    while found[-1] < end:
        found.append(_next(found[-1], size, zone))
    return found


def _floor(instant: datetime, size: int, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if size >= DAY:
        days = local.weekday() if size == WEEK else 0
        return (midnight - timedelta(days=days)).astimezone(UTC)
    # Subtracting the local remainder keeps the two passes of a repeated hour apart.
    naive = local.replace(tzinfo=None)
    into = (naive - midnight.replace(tzinfo=None)) % timedelta(seconds=size)
    if size <= HOUR:
        return (instant - into).astimezone(UTC)
    return (naive - into).replace(tzinfo=zone).astimezone(UTC)


def _next(start: datetime, size: int, zone: ZoneInfo) -> datetime:
    if size <= HOUR:
        ahead = _floor(start + timedelta(seconds=size), size, zone)
    else:
        local = start.astimezone(zone).replace(tzinfo=None, fold=0)
        ahead = (local + timedelta(seconds=size)).replace(tzinfo=zone).astimezone(UTC)
        ahead = _floor(ahead, size, zone)
    # Where the clocks shift by less than a bucket, the floor may fall back to the start.
    return ahead if ahead > start else start + timedelta(seconds=size)
