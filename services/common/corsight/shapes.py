"""What the first rows hold against what their columns should: so shifted columns are found before they are imported.

Only what is plainly something else counts, such as an id where a time should be. Any text may be an id or a name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.common.corsight.columns import REQUIRED, ColumnMap
from services.common.corsight.rows import END, NULL_WORDS, START
from services.common.corsight.timestamps import is_epoch, is_readable_time

SAMPLE_ROWS = 50

Shape = Literal["an id", "a time", "an epoch", "JSON", "a flag", "an outcome", "a text"]

_IDS: frozenset[Shape] = frozenset({"a time", "JSON", "a flag", "an outcome"})
_TIMES: frozenset[Shape] = frozenset({"an id", "JSON", "a flag", "an outcome"})
_OUTCOMES: frozenset[Shape] = frozenset({"an id", "a time", "an epoch", "JSON", "a flag"})
_FLAGS: frozenset[Shape] = frozenset({"an id", "a time", "an epoch", "JSON"})

# Name of a column → what it should hold, and what it cannot.
_EXPECTED: dict[str, tuple[str, frozenset[Shape]]] = {
    **dict.fromkeys(("person_id", "camera_id", "appearance_id", "event_id"), ("an id", _IDS)),
    **dict.fromkeys((*START, *END), ("a time", _TIMES)),
    **dict.fromkeys(("utc_time_recorded", "utc_time_recorded_readable", "msg_send_timestamp"), ("a time", _TIMES)),
    **dict.fromkeys(("age_group", "gender", "match_outcome"), ("an outcome", _OUTCOMES)),
    **dict.fromkeys(("camera_description", "camera_group", "department", "division"), ("a name", frozenset({"JSON"}))),
    **dict.fromkeys(("retain", "record_frames", "matching_in_hq"), ("a flag", _FLAGS)),
    "zone_vertices": ("JSON", frozenset({"a time", "an epoch", "a flag"})),
}

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{0,4}|(?:[0-9a-f]{4}-){1,3}[0-9a-f]{0,12})", re.IGNORECASE)
_CUT_ID = re.compile(r"(?=.*[a-f])[0-9a-f]{8}-(?:[0-9a-f]{0,4}|(?:[0-9a-f]{4}-){1,3}[0-9a-f]{0,11})", re.IGNORECASE)
_JSON = re.compile(r"\[\s*[\[{\"\]]|\{\s*[\"}]")
_OUTCOME = re.compile(
    r"not_(?:det|rev).*|inconclusive|matched|low_quality|male|female|(?:white|black)list|live", re.IGNORECASE
)

_ROUNDED_TO = 100_000
"""Seconds: an epoch of ten digits of which a spreadsheet left five."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A column of which most values are plainly something else; `position` is 1-based."""

    position: int
    header: str
    field: str | None
    expected: str
    found: Shape
    sample: str

    def __str__(self) -> str:
        meant = f", taken for {self.field}" if self.field and self.field != self.header else ""
        return (
            f"column {self.position} ({self.header}{meant}) should hold {self.expected} "
            f"and holds {self.found} (“{self.sample:.40}”)"
        )


def shape_of(text: str) -> Shape:
    if _ID.fullmatch(text):
        return "an id"
    if is_readable_time(text):
        return "a time"
    if is_epoch(text):
        return "an epoch"
    if _JSON.match(text):
        return "JSON"
    if text.lower() in ("true", "false"):
        return "a flag"
    return "an outcome" if _OUTCOME.fullmatch(text) else "a text"


def mismatches(columns: ColumnMap, sample: Sequence[Sequence[str]]) -> list[Mismatch]:
    """The columns that hold something else in more than half of the sample's rows. In a column that is mostly blank a
    few odd cells say nothing of the file."""
    found = []
    for column in columns.columns:
        expected, impossible = _EXPECTED.get(column.field or column.name, ("", frozenset[Shape]()))
        values = _values(sample, column.position - 1) if impossible else []
        wrong = [(shape, value) for value in values if (shape := shape_of(value)) in impossible]
        if len(wrong) * 2 > len(sample):
            shape, value = wrong[0]
            found.append(Mismatch(column.position, column.header.strip(), column.field, expected, shape, value))
    return found


def is_shifted(found: Sequence[Mismatch]) -> bool:
    """Whether the file must be refused: what every row needs is something else, or several columns are."""
    needed = {name for group in REQUIRED for name in group}
    return any(mismatch.field in needed for mismatch in found) or len(found) > 1


def cut_ids(columns: ColumnMap, sample: Sequence[Sequence[str]]) -> list[str]:
    """The fields of which most values are UUIDs that a spreadsheet cut: different ones may look the same."""
    cut = []
    for name in ("person_id", "camera_id", "appearance_id"):
        values = _values(sample, columns.fields[name]) if name in columns.fields else []
        if sum(_CUT_ID.fullmatch(value) is not None for value in values) * 2 > len(values):
            cut.append(name)
    return cut


def rounded_epochs(columns: ColumnMap, sample: Sequence[Sequence[str]]) -> Mapping[str, int]:
    """The epoch columns of start and end, where every epoch in both is rounded to more than a day."""
    positions = {name: columns.fields[name] for name in (START[1], END[1]) if name in columns.fields}
    for position in positions.values():
        values = _values(sample, position)
        if len(values) < 2 or not all(is_rounded(value) for value in values):
            return {}
    return positions if len(positions) == 2 else {}


def is_rounded(text: str) -> bool:
    return text.isascii() and text.isdigit() and is_epoch(text) and int(text) % _ROUNDED_TO == 0


def as_shown(text: str) -> str:
    """A rounded epoch as the spreadsheet shows it, so that nobody takes it for a time."""
    return f"{int(text):.5G}" if is_rounded(text) else text


def _values(sample: Sequence[Sequence[str]], position: int) -> list[str]:
    values = (row[position].strip() for row in sample)
    return [value for value in values if value.lower() not in NULL_WORDS]
