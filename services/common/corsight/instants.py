"""Whole columns of times at once: the same as `timestamps.parse_instant` of every text.

What most exports hold, ISO 8601 and epochs, is read from the characters of all rows together. The vendor's own dates
are read by pandas, and whatever else occurs one by one, each text once.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.common.corsight.timestamps import EPOCH, TimestampError, parse_instant
from services.common.events.common import EARLIEST, LATEST

Instants = NDArray[np.datetime64]
"""``datetime64[us]``, in UTC."""

_Numbers = NDArray[np.int64]
_Flags = NDArray[np.bool_]

_NOT_A_TIME = np.datetime64("NaT", "us")
_EARLIEST, _LATEST = (np.datetime64(bound.replace(tzinfo=None), "us") for bound in (EARLIEST, LATEST))

_MAX_CHARS = 32
"""``YYYY-MM-DDTHH:MM:SS.ffffff+HH:MM`` has so many; what is longer has one more here, and no known form."""

_ISO_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]

_US_MINUTE = r"(?:0?[1-9]|1[0-2])/[0-3]?\d/[12]\d{3} [0-2]?\d:[0-5]\d"
_US_FORMS = ((_US_MINUTE, "%m/%d/%Y %H:%M"), (_US_MINUTE + r":[0-5]\d", "%m/%d/%Y %H:%M:%S"))


def parse_instants(texts: Sequence[str], zone: tzinfo = UTC) -> Instants:
    """NaT where `parse_instant` would raise."""
    instants: Instants = np.full(len(texts), _NOT_A_TIME)
    left: _Flags = np.ones(len(texts), np.bool_)
    chars = _characters(texts)
    if chars is not None:
        digits = chars - np.uint8(ord("0"))  # what is no digit is above 9
        lengths = np.count_nonzero(chars, axis=1)
        for read in (_iso, _epochs):
            at, found = read(chars, digits, lengths, zone)
            instants[at] = found
            left[at] = False
            if not left.any():
                break
    if rest := np.flatnonzero(left).tolist():
        known = _one_by_one(list(dict.fromkeys(texts[place] for place in rest)), zone)
        instants[rest] = [known[texts[place]] for place in rest]
    instants[~((instants >= _EARLIEST) & (instants <= _LATEST))] = _NOT_A_TIME
    return instants


def as_datetimes(instants: Instants) -> list[datetime | None]:
    """None for NaT."""
    # Ten times as fast as giving each of them a zone.
    since_epoch: list[timedelta | None] = (instants - np.datetime64(0, "us")).tolist()
    return [None if since is None else EPOCH + since for since in since_epoch]


def _characters(texts: Sequence[str]) -> "NDArray[np.uint8] | None":
    """A row a text, filled up with NUL; None where one is not ASCII."""
    try:
        fixed = np.array(texts, dtype=f"S{_MAX_CHARS + 1}")
    except UnicodeEncodeError:
        return None
    return fixed.view(np.uint8).reshape(len(texts), _MAX_CHARS + 1)


def _iso(
    chars: "NDArray[np.uint8]", digits: "NDArray[np.uint8]", lengths: "NDArray[np.intp]", zone: tzinfo
) -> tuple["NDArray[np.intp]", Instants]:
    """Places and instants of ``YYYY-MM-DD HH:MM:SS[.f][Z|±HH:MM]``."""
    is_iso = (digits[:, _ISO_DIGITS] <= 9).all(axis=1) & np.isin(chars[:, 10], (ord("T"), ord(" ")))
    for place, mark in ((4, "-"), (7, "-"), (13, ":"), (16, ":")):
        is_iso &= chars[:, place] == ord(mark)
    at = np.flatnonzero(is_iso)
    chars, digits, lengths = chars[at], digits[at], lengths[at]
    rows = np.arange(len(at))
    is_utc = chars[rows, lengths - 1] == ord("Z")
    sign = chars[rows, lengths - 6]
    has_offset = (lengths >= 25) & ((sign == ord("+")) | (sign == ord("-"))) & (chars[rows, lengths - 3] == ord(":"))
    end = lengths - np.where(is_utc, 1, np.where(has_offset, 6, 0))
    fraction, is_good = _fraction(chars, digits, 19, end)

    offset = np.zeros(len(at), np.int64)
    for back, unit in ((5, 600), (4, 60), (2, 10), (1, 1)):
        digit = digits[rows, lengths - back]
        is_good &= ~has_offset | (digit <= 9)
        offset += digit * np.int64(unit)
    minutes = digits[rows, lengths - 2] * np.int64(10) + digits[rows, lengths - 1]
    is_good &= ~has_offset | ((offset <= 14 * 60) & (minutes < 60))
    offset = np.where(has_offset, np.where(sign == ord("-"), -offset, offset), 0)

    year, month, day, hour, minute, second = (
        _number(digits, *span) for span in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
    )
    is_good &= (
        (year > 1_900)
        & (year < 9_000)
        & (month >= 1)
        & (month <= 12)
        & (day >= 1)
        & (hour < 24)
        & (minute < 60)
        & (second < 60)
    )
    months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    is_good &= day <= ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    days = first.astype(np.int64) + day - 1
    micros = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000_000 + fraction
    found = micros.astype("datetime64[us]")
    is_local = ~is_utc & ~has_offset & is_good
    if zone is not UTC and is_local.any():
        found[is_local] = _localised(pd.Series(found[is_local]), zone)
    return at[is_good], found[is_good]


def _epochs(
    chars: "NDArray[np.uint8]", digits: "NDArray[np.uint8]", lengths: "NDArray[np.intp]", _: tzinfo
) -> tuple["NDArray[np.intp]", Instants]:
    """Places and instants of ten digits, seconds, with up to six decimals, and of thirteen, milliseconds."""
    is_number = (digits[:, :10] <= 9).all(axis=1) & (digits[:, 0] > 0)
    fraction, has_fraction = _fraction(chars, digits, 10, lengths)
    is_millis = is_number & (lengths == 13) & (digits[:, 10:13] <= 9).all(axis=1)
    is_seconds = is_number & has_fraction & ~is_millis
    micros = np.where(is_millis, _number(digits, 0, 13) * 1_000, _number(digits, 0, 10) * 1_000_000 + fraction)
    at = np.flatnonzero(is_seconds | is_millis)
    return at, micros[at].astype("datetime64[us]")


def _fraction(
    chars: "NDArray[np.uint8]", digits: "NDArray[np.uint8]", start: int, end: "NDArray[np.intp]"
) -> tuple[_Numbers, _Flags]:
    """Microseconds from the point at `start` to `end`, and where that is all that stands there, or nothing."""
    is_good = (chars[:, start] == ord(".")) & (end >= start + 2) & (end <= start + 7)
    micros = np.zeros(len(chars), np.int64)
    for place in range(6):
        is_given = start + 1 + place < end
        digit = digits[:, start + 1 + place]
        is_good &= ~is_given | (digit <= 9)
        micros += np.where(is_given, digit * np.int64(10 ** (5 - place)), 0)
    is_none = end == start
    return np.where(is_none, 0, micros), is_good | is_none


def _number(digits: "NDArray[np.uint8]", start: int, stop: int) -> _Numbers:
    number = np.zeros(len(digits), np.int64)
    for place in range(start, stop):
        number = number * 10 + digits[:, place]
    return number


def _localised(local: "pd.Series[Any]", zone: tzinfo) -> Instants:
    # In pandas "ambiguous" is told as "daylight saving is on": the earlier of the two instants.
    earlier = np.ones(len(local), dtype=bool)
    instants = local.dt.tz_localize(zone, ambiguous=earlier, nonexistent="NaT").dt.tz_convert(UTC)
    found: Instants = instants.dt.tz_localize(None).to_numpy("datetime64[us]")
    return found


def _one_by_one(texts: list[str], zone: tzinfo) -> dict[str, np.datetime64]:
    known: dict[str, np.datetime64] = {}
    values = pd.Series(texts, dtype=object)
    for shape, form in _US_FORMS:
        hit = values.str.fullmatch(shape, flags=re.ASCII)
        if hit.any():
            local = pd.to_datetime(values[hit], format=form, errors="coerce").astype("datetime64[us]")
            known.update(zip(values[hit], _localised(local, zone), strict=True))
    return {text: known[text] if text in known else _scalar(text, zone) for text in texts}


def _scalar(text: str, zone: tzinfo) -> np.datetime64:
    try:
        return np.datetime64(parse_instant(text, zone).replace(tzinfo=None), "us")
    except TimestampError:
        return _NOT_A_TIME
