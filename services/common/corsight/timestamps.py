"""Times as files and events write them → UTC instants, exact to the microsecond.

Forms: ISO 8601 with or without zone, ``YYYY-MM-DD HH:MM[:SS[.f]]``, ``M/D/YYYY H:MM[:SS[.f]]`` and epochs in seconds or
milliseconds. A text without a zone is in the zone given. Where the clocks go back, the earlier of the two instants is
meant, unless an end would come before its start; a time that the clocks skip does not exist and is refused. Digits
beyond the microsecond round half up.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from services.common.events.common import EARLIEST, LATEST

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),?\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?", re.ASCII)
_EPOCH_TEXT = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d*)?E[+-]?\d+", re.ASCII | re.IGNORECASE)

_MAX_TEXT = 64
"""Characters; no form is longer, and a number of a million digits costs time to read."""


_FINE = 2.0**31
"""Below it, floats lie within a quarter of a microsecond of each other."""

_SURELY = 0.375
"""An epoch so near to a whole microsecond is that one: the text it was written as lies within an eighth of it."""


class TimestampError(ValueError):
    """A time that cannot be taken; `reason_code` says which way."""

    reason_code = "bad_timestamp"


class BadTimestampError(TimestampError):
    """No known form, no such moment, or far outside the time in which cameras exist."""


class PrecisionLostError(TimestampError):
    """An epoch in scientific notation: a spreadsheet rounded it by up to days."""

    reason_code = "timestamp_precision_lost"


def parse_instant(value: object, zone: tzinfo = UTC, fold: int = 0) -> datetime:
    """The UTC instant of one value: a text, a number (an epoch) or a datetime. Raises `TimestampError`.

    `fold` 1: where the clocks go back, the later of the two.
    """
    if type(value) is float and 10**8 <= value < _FINE:
        seconds = int(value)
        micros = (value - seconds) * 1e6
        nearest = round(micros)
        if abs(micros - nearest) < _SURELY:
            return EPOCH + timedelta(0, seconds, nearest)
    if isinstance(value, str):
        instant = _from_text(value.strip(), zone, fold)
    elif isinstance(value, datetime):
        instant = value.astimezone(UTC) if value.tzinfo else _localised(value, zone, fold)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        instant = _from_epoch(_decimal(value), value)
    else:
        raise BadTimestampError(f"{_shown(value)} is no time")
    if not EARLIEST <= instant <= LATEST:
        raise BadTimestampError(f"{_shown(value)} lies outside the years 1973 to 5138")
    return instant


def is_readable_time(text: str) -> bool:
    """Whether the text has the form of a time for people, be there such a moment or not."""
    return _ISO.fullmatch(text) is not None or _US.fullmatch(text) is not None


def is_epoch(text: str) -> bool:
    """Whether the text has the form of an epoch, be it rounded or not."""
    if len(text) > _MAX_TEXT or not text[:1].isdigit():
        return False
    if _ROUNDED.fullmatch(text):
        return True
    return _EPOCH_TEXT.fullmatch(text) is not None and 9 <= len(text.partition(".")[0]) <= 14


def _from_text(text: str, zone: tzinfo, fold: int) -> datetime:
    if len(text) > _MAX_TEXT:
        raise BadTimestampError(f"{_shown(text)} is no time")
    if iso := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, fraction, offset = iso.groups()
        return _instant((year, month, day, hour, minute, second), fraction, offset, zone, fold, text)
    if us := _US.fullmatch(text):
        month, day, year, hour, minute, second, fraction = us.groups()
        return _instant((year, month, day, hour, minute, second), fraction, None, zone, fold, text)
    if _EPOCH_TEXT.fullmatch(text):
        return _from_epoch(Decimal(text), text)
    if _ROUNDED.fullmatch(text):
        raise PrecisionLostError(f"{_shown(text)} is an epoch that a spreadsheet rounded")
    raise BadTimestampError(f"{_shown(text)} is in no known form")


def _instant(
    fields: tuple[str, str, str, str, str, str | None],
    fraction: str | None,
    offset: str | None,
    zone: tzinfo,
    fold: int,
    text: str,
) -> datetime:
    try:
        local = datetime(*(int(field or 0) for field in fields))  # type: ignore[arg-type]  # noqa: DTZ001
        if fraction:
            local += timedelta(microseconds=_half_up(Decimal(f"0.{fraction}") * 10**6))
        if offset is None:
            return _localised(local, zone, fold)
        return local.replace(tzinfo=_offset(offset)).astimezone(UTC)
    except TimestampError:
        raise
    except (ValueError, OverflowError) as error:
        raise BadTimestampError(f"{_shown(text)}: {error}") from None


def _offset(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if minutes > 59:
        raise ValueError("no such offset")
    shift = timedelta(hours=hours, minutes=minutes)
    return timezone(-shift if text[0] == "-" else shift)


def _localised(local: datetime, zone: tzinfo, fold: int) -> datetime:
    try:
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        back = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError as error:
        raise BadTimestampError(f"{local}: {error}") from None
    if back != local.replace(fold=0):
        raise BadTimestampError(f"{local} does not exist in {zone}: the clocks skip it")
    return instant


def _from_epoch(number: Decimal, shown: object) -> datetime:
    if 10**8 <= number < 10**11:
        return EPOCH + timedelta(microseconds=_half_up(number * 10**6))
    if 10**11 <= number < 10**14:
        return EPOCH + timedelta(microseconds=_half_up(number * 10**3))
    raise BadTimestampError(f"{_shown(shown)} is an epoch neither in seconds nor in milliseconds")


def _decimal(number: float) -> Decimal:
    # repr gives the shortest text that reads back as this float: for a microsecond epoch, the text it was written as.
    value = Decimal(repr(number))
    if not value.is_finite():
        raise BadTimestampError(f"{number} is no time")
    return value


def _half_up(number: Decimal) -> int:
    return int(number.to_integral_value(rounding="ROUND_HALF_UP"))


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…")
