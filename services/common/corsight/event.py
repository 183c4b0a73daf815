"""One JSON event as the vendor's live feed, webhook or history gives it → an appearance or an insight event.

The vendor nests the fields in blocks; a flat object with the names of the CSV columns is taken as well.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from services.common.corsight.chunks import MAX_ID_CHARS, RowError, RowRules, is_kept, without_images
from services.common.corsight.columns import MAX_COLUMNS, ColumnMap, map_columns
from services.common.corsight.demographics import age_group_of, gender_of
from services.common.corsight.insight_report import insight_of_event
from services.common.corsight.json_elements import check_storable
from services.common.corsight.rows import (
    MATCHED,
    START,
    appearance_of,
    block_of,
    camera_of,
    check_ids,
    check_span,
    instant_of,
    reported_at,
    text_of,
)
from services.common.corsight.timestamps import TimestampError
from services.common.events.appearances import Appearance, appearance_key, subject_id_of
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import UNKNOWN_EVENT_TYPE

BLOCKS = ("camera_data", "frame_data", "appearance_data", "crop_data", "match_data", "face_features_data")

APPEARANCE = "appearance"
"""The one `event_type` of appearances that was seen; whatever has a track is one under any other, too."""

_INSIGHT_WORDS = ("crowd", "loiter", "insight")

# What of the blocks has become a field of the appearance; the rest is kept as extra.
_MODELLED = {
    "camera_data": frozenset({"camera_id", "camera_description"}),
    "appearance_data": frozenset({"appearance_id", "person_id", "utc_time_started", "utc_time_ended"}),
    "match_data": frozenset({"poi_id"}),
    "face_features_data": frozenset({"age_group_outcome", "gender_outcome"}),
}

_MODELLED_BLOCKS = frozenset(_MODELLED)

_GROUP_NAMES = ("group_name", "description", "name")
_DEPARTMENT_NAMES = ("group_departemen", "group_department", "departemen", "department")
_DIVISION_NAMES = ("group_divisi", "group_division", "divisi", "division")


def normalise_event(event: Any, *, source: str, rules: RowRules) -> Appearance | InsightEvent:
    """The fact that one event reports; `source` is ``corsight:<connector>``. Raises `RowError`."""
    if not isinstance(event, dict):
        raise RowError("schema_violation", f"an event is an object, this is a {type(event).__name__}")
    try:
        fact = _fact_of(event, source, rules)
        # Three quarters of an event are a picture, which is no part of the fact.
        check_storable(fact)
    except RowError:
        check_storable(event)
        raise
    except UnicodeEncodeError:
        raise RowError("bad_encoding", "an escape stands for half a character") from None
    except RecursionError as error:
        raise RowError("schema_violation", str(error)) from None
    return fact


def _fact_of(event: dict[str, Any], source: str, rules: RowRules) -> Appearance | InsightEvent:
    event_type = event.get("event_type")
    if event_type != APPEARANCE:
        event_type = (text_of(event_type) or "").lower()
    if "generative_insight" in event or any(word in event_type for word in _INSIGHT_WORDS):
        return insight_of_event(event, source=source, rules=rules)
    is_appearance = event_type in ("", APPEARANCE)
    if "appearance_data" in event or (is_appearance and any(isinstance(event.get(block), dict) for block in BLOCKS)):
        return _appearance_of_event(event, source, rules)
    if "camera_id" in event and (is_appearance or _has_start(event)):
        return _appearance_of_flat(event, source, rules)
    if (wrapped := _wrapped(event)) is not None:
        return _fact_of(wrapped, source, rules)
    if not is_appearance:
        raise RowError(UNKNOWN_EVENT_TYPE, f"event_type is {event_type[:MAX_ID_CHARS]}", camera_of(event))
    raise RowError("schema_violation", f"neither an appearance nor an insight: event_type is {event_type or 'absent'}")


def appearance_of_json(element: Any, *, source: str, rules: RowRules) -> Appearance:
    """An element of an uploaded file of appearances. Raises `RowError`."""
    fact = normalise_event(element, source=source, rules=rules)
    if isinstance(fact, InsightEvent):
        raise RowError("schema_violation", "an insight event in a file of appearances", fact.camera_id)
    return fact


def _appearance_of_event(event: dict[str, Any], source: str, rules: RowRules) -> Appearance:
    """A track so far: it ends, until more is known, at the latest time at which it was seen."""
    camera, frame, track = (block_of(event, name) for name in ("camera_data", "frame_data", "appearance_data"))
    features = block_of(event, "face_features_data")
    camera_id = text_of(camera.get("camera_id"))
    if camera_id is None:
        raise RowError("missing_camera", "camera_data.camera_id is blank")
    appearance_id = text_of(track.get("appearance_id")) or text_of(event.get("appearance_id"))
    person_id = text_of(event.get("person_id")) or text_of(track.get("person_id"))
    poi_id = _matched_poi(block_of(event, "match_data"))
    if not (appearance_id or person_id or poi_id):
        raise RowError("missing_person", "neither appearance_id, person_id nor a matched poi_id", camera_id)
    check_ids(camera_id, person_id, appearance_id, poi_id)

    times = []
    for block, name in ((track, "utc_time_started"), (track, "utc_time_ended"), (frame, "utc_time_recorded")):
        try:
            times.append(instant_of(block, (name,), rules))
        except TimestampError as error:
            raise RowError(error.reason_code, f"{name} {error}", camera_id) from None
    started_at, ended_at, recorded_at = times
    if started_at is None:
        raise RowError("missing_start", "appearance_data.utc_time_started is blank", camera_id)
    sent_at = reported_at(event, ("msg_send_timestamp",), rules)
    # While no end is told, the appearance ends, so far, when it was reported.
    last_seen_at = ended_at or sent_at or recorded_at
    if last_seen_at is None:
        raise RowError("missing_end", "no utc_time_ended, utc_time_recorded or msg_send_timestamp is given", camera_id)
    check_span(started_at, last_seen_at, rules, camera_id)

    subject_id = subject_id_of(person_id, poi_id, appearance_id or "")
    camera_group, department, division = _group_of(block_of(camera, "camera_group_data"))
    return Appearance(
        appearance_key=appearance_key(appearance_id, subject_id, camera_id, started_at),
        camera_id=camera_id,
        subject_id=subject_id,
        started_at=started_at,
        ended_at=last_seen_at,
        reported_at=sent_at or recorded_at or last_seen_at,
        source=source,
        appearance_id=appearance_id,
        person_id=person_id,
        poi_id=poi_id,
        age_group=age_group_of(features.get("age_group_outcome")),
        gender=gender_of(features.get("gender_outcome")),
        camera_description=text_of(camera.get("camera_description")),
        camera_group=camera_group,
        department=department,
        division=division,
        extra=_extra_of_event(event),
    )


def _matched_poi(match: Mapping[str, Any]) -> str | None:
    """The person of interest, where a watchlist says `matched`; where none says anything, the id itself does.

    A watchlist is listed with another outcome when the best candidate was not good enough.
    """
    poi_id = text_of(match.get("poi_id"))
    if poi_id is None:
        return None
    watchlists = match.get("watchlists")
    entries = watchlists if isinstance(watchlists, list) else []
    outcomes = {
        outcome.lower()
        for entry in entries
        if isinstance(entry, dict) and (outcome := text_of(entry.get("match_outcome"))) is not None
    }
    return poi_id if not outcomes or MATCHED in outcomes else None


def _appearance_of_flat(event: Mapping[str, Any], source: str, rules: RowRules) -> Appearance:
    if len(event) > MAX_COLUMNS:
        raise RowError("schema_violation", f"an event of {len(event):,} fields; one may have {MAX_COLUMNS:,}")
    names = tuple(str(name) for name in event)
    values = list(event.values())
    columns = _columns_of(names)
    extra = {
        name: without_images(values[position])
        for position, name in columns.extra.items()
        if is_kept(name, values[position])
    }
    fields = {name: values[position] for name, position in columns.fields.items()}
    return appearance_of(fields, extra=extra, source=source, rules=rules)


def _has_start(event: Mapping[str, Any]) -> bool:
    return len(event) <= MAX_COLUMNS and any(name in _columns_of(tuple(map(str, event))).fields for name in START)


def _wrapped(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event that one field of this one holds, under a name that is not documented, with the other fields."""
    inner = next((value for value in event.values() if isinstance(value, dict) and "appearance_data" in value), None)
    return None if inner is None else {name: value for name, value in event.items() if value is not inner} | inner


@lru_cache(maxsize=256)
def _columns_of(names: tuple[str, ...]) -> ColumnMap:
    return map_columns(names)


def _extra_of_event(event: dict[str, Any]) -> dict[str, Any]:
    extra = without_images(event, _MODELLED_BLOCKS)
    for name, fields in _MODELLED.items():
        # A block that is none says something as well.
        block = event.get(name)
        if is_kept(name, block):
            extra[name] = without_images(block, fields)
    return {name: kept for name, kept in extra.items() if kept or not isinstance(kept, dict | list)}


def _group_of(group: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Names of group, department and division, from the camera group or its custom properties under ``group_notes``."""
    if not group:
        return None, None, None
    layers = group, block_of(block_of(group, "group_notes"), "properties")
    return _named(layers, _GROUP_NAMES), _named(layers, _DEPARTMENT_NAMES), _named(layers, _DIVISION_NAMES)


def _named(layers: tuple[Mapping[str, Any], ...], names: tuple[str, ...]) -> str | None:
    return next(
        (text for layer in layers for name in names if (text := text_of(layer.get(name))) is not None),
        None,
    )
