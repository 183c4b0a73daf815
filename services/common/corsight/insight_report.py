"""Crowd and loitering events, as a JSON report or the live feed tells them → `InsightEvent`."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, BinaryIO

from services.common.corsight.chunks import DEFAULT_LIMITS, Chunk, ReadLimits, RowError, RowRules, without_images
from services.common.corsight.demographics import age_group_of, gender_of
from services.common.corsight.files import HEAD_BYTES, UnsupportedFileError, detect_kind
from services.common.corsight.json_elements import check_storable, read_elements
from services.common.corsight.lines import LineReader
from services.common.corsight.rows import (
    block_of,
    camera_of,
    check_ids,
    check_span,
    instant_of,
    reported_at,
    text_of,
)
from services.common.corsight.timestamps import TimestampError
from services.common.events.common import isoformat, stable_id
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import UNKNOWN_EVENT_TYPE
from services.common.lanes import is_forensic

CHUNK_ELEMENTS = 2_000

IDS = ("insight_id", "event_id")
STARTS = ("utc_time_recorded", "utc_time_started", "started_at", "msg_send_timestamp")
"""Without a time of its own, an event is of when it was sent."""

ENDS = ("utc_time_ended", "ended_at")
DURATIONS = ("loitering_duration", "duration_seconds")
KINDS = ("kind", "insight_type", "insight_name", "event_type")
COUNTS = ("people_count", "crowd_count", "count")
SUBJECTS = ("person_id", "subject_id")
SAVED = ("save_insight_time", "msg_send_timestamp")

_BLOCKS = ("camera_data", "face_features_data", "appearance_data", "frame_data")

# Words that say that something is an event, not which.
_NO_KIND = frozenset({"appearance", "insight", "generative_insight", "event", "alert"})


def read_insights(
    binary_file: BinaryIO,
    *,
    source_prefix: str,
    now: datetime,
    zone: tzinfo = UTC,
    chunk_rows: int = CHUNK_ELEMENTS,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Iterator[Chunk[InsightEvent]]:
    """Read a JSON or NDJSON insight report; the same terms as `csv.read_appearances`."""
    start = binary_file.tell()
    kind = detect_kind(binary_file.read(HEAD_BYTES))
    binary_file.seek(start)
    if kind.format == "csv":
        raise UnsupportedFileError("an insight report is JSON, and this file is not")
    normalise = partial(insight_of, rules=RowRules.of(limits, now, zone))
    return read_elements(LineReader(binary_file, kind, limits), kind.format, normalise, source_prefix, chunk_rows)


def insight_of(element: Any, *, source: str, rules: RowRules) -> InsightEvent:
    """The insight event that an element of a report tells of. Raises `RowError`."""
    if not isinstance(element, dict):
        raise RowError("schema_violation", f"an insight event is an object, this is a {type(element).__name__}")
    check_storable(element)
    return insight_of_event(element, source=source, rules=rules)


def insight_of_event(event: Mapping[str, Any], *, source: str, rules: RowRules) -> InsightEvent:
    """The same of an object that is known to be storable; its fields may lie in blocks, as the live feed has them."""
    if is_forensic(event):
        raise RowError(UNKNOWN_EVENT_TYPE, "an insight from recorded video", camera_of(event))
    fields = _laid_flat(event)
    camera_id = text_of(fields.get("camera_id"))
    if camera_id is None:
        raise RowError("missing_camera", "camera_id is blank")
    started_at = _instant(fields, STARTS, "start", rules, camera_id)
    if started_at is None:
        raise RowError("missing_start", f"none of {', '.join(STARTS)} is given", camera_id)
    duration_seconds = _duration(fields, started_at, rules, camera_id)
    kind = _kind(fields)
    subject_id, insight_id = _first_text(fields, SUBJECTS), _first_text(fields, IDS)
    check_ids(camera_id, subject_id, insight_id)
    return InsightEvent(
        insight_id=insight_id or stable_id(camera_id, kind, isoformat(started_at), subject_id or ""),
        kind=kind,
        camera_id=camera_id,
        started_at=started_at,
        reported_at=reported_at(fields, SAVED, rules) or started_at,
        source=source,
        duration_seconds=duration_seconds,
        subject_id=subject_id,
        people_count=_people_count(fields, camera_id),
        severity=text_of(fields.get("severity")),
        age_group=age_group_of(_first(fields, ("age_group", "age_group_outcome"))),
        gender=gender_of(_first(fields, ("gender", "gender_outcome"))),
        camera_description=text_of(fields.get("camera_description")),
        raw=without_images(event),
    )


def _laid_flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """Of values with the same name the one that stands furthest out."""
    insight = block_of(event, "generative_insight")
    blocks = [block_of(event, name) for name in _BLOCKS]
    flat = dict(event)
    for layer in (*blocks, block_of(insight, "generative_insight_config"), insight, event):
        flat.update({name: value for name, value in layer.items() if not isinstance(value, dict | list)})
    return flat


def _kind(element: Mapping[str, Any]) -> str:
    for name in KINDS:
        word = "_".join((text_of(element.get(name)) or "").lower().split())
        if "loiter" in word:
            return "loitering"
        if "crowd" in word:
            return "crowd"
        if word and word not in _NO_KIND:
            return word
    return "crowd" if _number(element.get("loitering_duration")) is None else "loitering"


def _duration(element: Mapping[str, Any], started_at: datetime, rules: RowRules, camera_id: str) -> float:
    for name in DURATIONS:
        if text_of(element.get(name)) is None:
            continue
        seconds = _number(element[name])
        if seconds is None:
            raise RowError("schema_violation", f"{name} is no number: {element[name]!r:.64}", camera_id)
        if seconds < 0:
            raise RowError("negative_dwell", f"{name} is {seconds}", camera_id)
        if seconds > rules.max_dwell.total_seconds():
            raise RowError("implausible_dwell", f"{name} of {seconds} s is above {rules.max_dwell}", camera_id)
        check_span(started_at, started_at, rules, camera_id)
        return seconds
    ended_at = _instant(element, ENDS, "end", rules, camera_id) or started_at
    check_span(started_at, ended_at, rules, camera_id)
    return (ended_at - started_at).total_seconds()


def _people_count(element: Mapping[str, Any], camera_id: str) -> int | None:
    value = _first(element, COUNTS)
    if value is None:
        return None
    number = _number(value)
    if number is None or number < 0 or number != int(number):
        raise RowError("schema_violation", f"{value!r:.64} is no number of people", camera_id)
    return int(number)


def _instant(
    element: Mapping[str, Any], names: tuple[str, ...], what: str, rules: RowRules, camera_id: str
) -> datetime | None:
    preferred = tuple(each for name in names for each in (f"{name}_readable", name))
    try:
        return instant_of(element, preferred, rules)
    except TimestampError as error:
        raise RowError(error.reason_code, f"{what} {error}", camera_id) from None


def _first(element: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first value that says something."""
    return next((element[name] for name in names if element.get(name) not in (None, "")), None)


def _first_text(element: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := text_of(element.get(name))) is not None), None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
