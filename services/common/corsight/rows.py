"""One appearance from the fields of one row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.common.corsight.chunks import MAX_ID_CHARS, RowError, RowRules
from services.common.corsight.demographics import age_group_of, gender_of
from services.common.corsight.timestamps import TimestampError, parse_instant
from services.common.events.appearances import Appearance, appearance_key

NULL_WORDS = frozenset({"", "null", "none", "nan", "n/a", "undefined"})
"""What stands for nothing where an id, a name or a time should be; compared in lower case."""

MAX_NULL_CHARS = max(map(len, NULL_WORDS))

MATCHED = "matched"
"""The one `match_outcome` that names somebody: a watchlist is listed whether or not anybody on it was seen."""

START = ("utc_time_started_readable", "utc_time_started")
END = ("utc_time_ended_readable", "utc_time_ended")
REPORTED = ("msg_send_timestamp", "utc_time_recorded_readable", "utc_time_recorded")
"""In order of preference: the first that is not blank counts. Epochs may have gone through a spreadsheet."""


def text_of(value: object) -> str | None:
    """The trimmed text of an id or a name, None where it says nothing."""
    if type(value) is str:
        text = value.strip()
    elif value is None or isinstance(value, dict | list | bool):
        return None
    else:
        text = str(value).strip()
    return None if len(text) <= MAX_NULL_CHARS and text.lower() in NULL_WORDS else text


def block_of(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One of the blocks in which the vendor nests fields; empty where there is none."""
    block = parent.get(name)
    return block if isinstance(block, dict) else {}


def instant_of(fields: Mapping[str, object], names: Sequence[str], rules: RowRules, fold: int = 0) -> datetime | None:
    """The time in the first of the fields that is not blank; None if all are. Raises `TimestampError`."""
    for name in names:
        value = fields.get(name)
        if value is not None and (not isinstance(value, str) or text_of(value) is not None):
            return parse_instant(value, rules.zone, fold)
    return None


def appearance_of(
    fields: Mapping[str, object], *, extra: Mapping[str, Any], source: str, rules: RowRules
) -> Appearance:
    """The appearance that a row's fields (named as in `columns.ALIASES`) tell of. Raises `RowError`."""
    person_id, camera_id = text_of(fields.get("person_id")), text_of(fields.get("camera_id"))
    if person_id is None:
        raise RowError("missing_person", "person_id is blank", camera_id)
    if camera_id is None:
        raise RowError("missing_camera", "camera_id is blank")
    appearance_id = text_of(fields.get("appearance_id"))
    check_ids(camera_id, person_id, appearance_id)
    started_at, ended_at = _checked_times(fields, rules, camera_id)
    is_matched = (text_of(fields.get("match_outcome")) or "").lower() == MATCHED
    return Appearance(
        appearance_key=appearance_key(appearance_id, person_id, camera_id, started_at),
        camera_id=camera_id,
        subject_id=person_id,
        started_at=started_at,
        ended_at=ended_at,
        reported_at=reported_at(fields, REPORTED, rules) or ended_at,
        source=source,
        appearance_id=appearance_id,
        person_id=person_id,
        poi_id=text_of(fields.get("poi_id")) if is_matched else None,
        age_group=age_group_of(fields.get("age_group")),
        gender=gender_of(fields.get("gender")),
        camera_description=text_of(fields.get("camera_description")),
        camera_group=text_of(fields.get("camera_group")),
        department=text_of(fields.get("department")),
        division=text_of(fields.get("division")),
        zone=text_of(fields.get("zone")),
        extra=dict(extra),
    )


def camera_of(event: Mapping[str, Any]) -> str | None:
    """Of an event that is refused, as far as it tells of one."""
    camera_id = text_of(block_of(event, "camera_data").get("camera_id") or event.get("camera_id"))
    return camera_id if camera_id and len(camera_id) <= MAX_ID_CHARS else None


def check_ids(camera_id: str, *others: str | None) -> None:
    """Raises `RowError` where an id is too long to be one."""
    for text in (camera_id, *others):
        if text is not None and len(text) > MAX_ID_CHARS:
            raise RowError("schema_violation", f"an id of {len(text):,} characters", camera_id[:MAX_ID_CHARS])


def _checked_times(fields: Mapping[str, object], rules: RowRules, camera_id: str) -> tuple[datetime, datetime]:
    """Start and end, plausible together. Raises `RowError`."""
    times = []
    for what, names in (("start", START), ("end", END)):
        try:
            instant = instant_of(fields, names, rules)
        except TimestampError as error:
            raise RowError(error.reason_code, f"{what} {error}", camera_id) from None
        if instant is None:
            raise RowError(f"missing_{what}", f"the {what} time is blank", camera_id)
        times.append(instant)
    started_at, ended_at = times
    if ended_at < started_at:
        # The clocks may have gone back between the two.
        ended_at = instant_of(fields, END, rules, fold=1) or ended_at
    check_span(started_at, ended_at, rules, camera_id)
    return started_at, ended_at


def check_span(started_at: datetime, ended_at: datetime, rules: RowRules, camera_id: str) -> None:
    """Raises `RowError` where the end precedes the start, lies too far after it, or in the future."""
    dwell = ended_at - started_at
    if ended_at < started_at:
        raise RowError("negative_dwell", f"the end lies {-dwell} before the start", camera_id)
    if dwell > rules.max_dwell:
        raise RowError("implausible_dwell", f"a dwell of {dwell} is above the limit of {rules.max_dwell}", camera_id)
    if ended_at > rules.horizon:
        raise RowError("future_timestamp", f"{ended_at.isoformat()} lies in the future", camera_id)


def reported_at(fields: Mapping[str, object], names: Sequence[str], rules: RowRules) -> datetime | None:
    """When the row was reported; None where that cannot be told: unlike start and end, it is not required."""
    for name in names:
        try:
            instant = instant_of(fields, (name,), rules)
        except TimestampError:
            continue
        if instant is not None and instant <= rules.horizon:
            return instant
    return None
