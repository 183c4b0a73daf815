"""Which column of a file holds which field: the vendor's own names, and the spellings met at real sites.

A header may have been cut by a spreadsheet (``utc_time_st``) or have lost the separator between two names
(``utc_time_reappearance``). Whether the values fit what is read here is for `shapes` to say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from services.common.corsight.chunks import is_image_name
from services.common.corsight.rows import END, START

ALIASES: Mapping[str, tuple[str, ...]] = {
    "person_id": (),
    "camera_id": (),
    "appearance_id": (),
    "utc_time_started_readable": ("utcconvert_time_started",),
    "utc_time_started": ("utc_time_start", "started_at"),
    "utc_time_ended_readable": ("utcconvert_time_ended",),
    "utc_time_ended": ("utc_time_end", "ended_at"),
    "msg_send_timestamp": (),
    "utc_time_recorded_readable": (),
    "utc_time_recorded": ("utc_time_received", "timestamp"),
    "poi_id": (),
    "match_outcome": (),
    "age_group": ("age_group_outcome",),
    "gender": ("gender_outcome",),
    "camera_description": ("camera_name",),
    "camera_group": ("camera_group_data_group_name", "camera_group_data_name", "camera_group_name", "store"),
    "department": (
        "camera_group_data_group_departemen",
        "camera_group_data_group_department",
        "camera_group_data_departemen",
        "camera_group_data_department",
        "departemen",
    ),
    "division": (
        "camera_group_data_group_divisi",
        "camera_group_data_group_division",
        "camera_group_data_divisi",
        "camera_group_data_division",
        "divisi",
    ),
    "zone": ("zone_name",),
}
"""Field → other names of its column, the better first. The field's own name always wins."""

REQUIRED: tuple[tuple[str, ...], ...] = (
    ("person_id",),
    ("camera_id",),
    START,
    END,
)
"""Of each group a file needs one."""

# fmt: off
EXPORT = (
    "person_id", "retain", "appearance_category", "labeled_outcome", "event_type", "event_id", "utc_time_recorded",
    "utc_time_recorded_readable", "appearance_id", "utc_time_started", "utc_time_started_readable", "utc_time_ended",
    "utc_time_ended_readable", "first_frame_id", "last_frame_id", "camera_id", "camera_description", "node_id",
    "analysis_mode", "record_frames", "matching_in_hq", "camera_group_data_group_name",
    "camera_group_data_group_departemen", "camera_group_data_group_divisi", "zone_name", "zone_id", "zone_vertices",
    "face_score", "frame_id", "frame_timestamp", "frame_timestamp_readable", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2",
    "watchlist_type", "watchlist_display_name", "watchlist_display_color", "watchlist_severity", "match_outcome",
    "age_group_outcome", "gender_outcome", "liveness_outcome", "mask_outcome",
)
# fmt: on
"""The columns of the vendor's export in their order, by which cut names that are alike are told apart."""

MAX_COLUMNS = 2_000

MIN_CUT_CHARS = 8
"""A shorter beginning of a name says too little."""

MIN_NAME_CHARS = 6
"""A whole name within a fused one has at least so many."""

MAX_STRAY_CHARS = 5
"""What may stand between the names in a fused one: the ends of cut names, misread."""

How = Literal["exact", "alias", "truncated", "fused", "extra", "image"]
CONFIDENCE: Mapping[How, float] = {
    "exact": 1.0, "alias": 0.95, "truncated": 0.8, "fused": 0.5, "extra": 1.0, "image": 1.0,
}  # fmt: skip

# One of several names that begin alike, told by its place among them.
_BY_ORDER = 0.6

# Custom properties of a camera group come as columns of this prefix, and their names differ from site to site.
_GROUP_PROPERTY = "camera_group_data_group"

_EXACT = {name: name for name in ALIASES}
_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Column:
    """`position` is 1-based; `name` is the normalised header, or the part of a fused one; `field` what it becomes."""

    position: int
    header: str
    name: str
    field: str | None
    confidence: float
    how: How


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`fields`: field → position; `extra`: position → name under which an unmodelled column is kept."""

    width: int
    fields: Mapping[str, int]
    extra: Mapping[int, str]
    warnings: list[str] = field(default_factory=list)
    columns: Sequence[Column] = ()

    @property
    def missing(self) -> list[str]:
        """Required columns that are not there, by their preferred names."""
        return [group[0] for group in REQUIRED if not any(name in self.fields for name in group)]

    def without(self, name: str) -> "ColumnMap":
        """The same with the field's column kept as extra."""
        position = self.fields[name]
        return replace(
            self,
            fields={field: at for field, at in self.fields.items() if field != name},
            extra=dict(sorted({**self.extra, position: name}.items())),
            columns=[
                replace(column, field=None, how="extra") if column.field == name else column for column in self.columns
            ],
        )


def normalise_header(cell: str) -> str:
    """`\\ufeff Person ID ` → `person_id`."""
    return re.sub(r"[\s-]+", "_", cell.replace("\ufeff", "").strip().strip("\"'").strip().lower())


def map_columns(header: Sequence[str], row_width: int | None = None) -> ColumnMap:
    """Exact names first, then aliases, then cut ones; of columns that mean the same one stands, the others are extra.

    Fused headers are taken apart where the rows, of `row_width` cells, have a cell for each of their names.
    """
    cells = _taken_apart(header, row_width)
    names = [name for _, name, _ in cells]
    found: dict[int, tuple[str, float, How]] = {}
    warnings: list[str] = []

    taken: set[str] = set()
    ways: tuple[tuple[Mapping[str, str], How], ...] = ((_EXACT, "exact"), (_ALIAS, "alias"))
    for known, how in ways:
        ranked = sorted(
            (position for position, name in enumerate(names) if name in known),
            key=lambda position: (_rank(names[position]), position),
        )
        for position in ranked:
            target = known[names[position]]
            if target in taken:
                shown = cells[position][0].strip()
                warnings.append(f"column {position + 1} ({shown}) repeats {target} and is not used")
            else:
                taken.add(target)
                found[position] = (target, CONFIDENCE[how], how)
    for position, (name, confidence) in _completed(names).items():
        target = _EXACT.get(name) or _ALIAS.get(name, "")
        if target and target not in taken:
            taken.add(target)
            found[position] = (target, confidence, "truncated")
            warnings.append(f"column {position + 1} ({cells[position][0].strip()}) is taken for {name}")

    columns: list[Column] = []
    extra: dict[int, str] = {}
    used: set[str] = set()
    for position, (shown, name, is_part) in enumerate(cells):
        column = Column(position + 1, shown, name, None, 1.0, "image" if is_image_name(name) else "extra")
        if position in found:
            target, confidence, how = found[position]
            column = replace(column, field=target, confidence=confidence, how=how)
        else:
            if not is_part and (parts := fused_names(name)):
                column = replace(column, confidence=0.0, how="fused")
                warnings.append(
                    f"column {position + 1} ({shown.strip()}) bears {len(parts)} names and is kept as it is"
                )
            elif name.startswith(_GROUP_PROPERTY):
                warnings.append(f"column {position + 1} ({name}) is a camera-group property that is not known")
            extra[position] = _free_name(name or f"column_{position + 1}", used)
            used.add(extra[position])
        if is_part:
            column = replace(column, confidence=min(column.confidence, CONFIDENCE["fused"]), how="fused")
        columns.append(column)
    fields = {target: position for position, (target, _, _) in found.items()}
    return ColumnMap(width=len(cells), fields=fields, extra=extra, warnings=warnings, columns=columns)


def fused_names(name: str) -> list[str]:
    """The names, mostly cut, of which the header is made that lost its separators; empty where it is not."""
    if name in EXPORT or name in _EXACT or name in _ALIAS:
        return []
    parts: list[str] = []
    at = stray = 0
    while at < len(name) and stray <= MAX_STRAY_CHARS:
        part = _known_beginning(name, at)
        if part:
            parts.append(part.rstrip("_"))
        stray = 0 if part else stray + 1
        at += len(part) or 1
    is_fused = len(parts) > 1 and name.startswith(parts[0]) and stray <= MAX_STRAY_CHARS
    return parts if is_fused else []


def _known_beginning(name: str, at: int) -> str:
    """The longest beginning of a known name that stands there, if it is long enough to tell."""
    best = ""
    for known in EXPORT:
        length = 0
        while length < len(known) and name[at + length : at + length + 1] == known[length]:
            length += 1
        is_enough = length >= MIN_CUT_CHARS or (length == len(known) >= MIN_NAME_CHARS)
        if is_enough and length > len(best):
            best = known[:length]
    return best


def _taken_apart(header: Sequence[str], row_width: int | None) -> list[tuple[str, str, bool]]:
    """(cell, normalised name, whether it is a part of a fused cell)."""
    cells = [(cell, normalise_header(cell), False) for cell in header]
    if row_width is None or not len(header) < row_width <= MAX_COLUMNS:
        return cells
    apart = [
        each
        for cell, name, _ in cells
        for each in ([(cell, part, True) for part in fused_names(name)] or [(cell, name, False)])
    ]
    return apart if len(apart) == row_width else cells


def _completed(names: Sequence[str]) -> dict[int, tuple[str, float]]:
    """Position → (name of the export, confidence) of cut names.

    One that fits a single name means that. Names cut alike mean those that they fit, in the order of the export, where
    there are as many of them, or where all are times of the same moment.
    """
    present = {name for name in names if name in EXPORT or name in _EXACT}
    cut: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if len(name) >= MIN_CUT_CHARS and name not in present and name not in _ALIAS:
            cut.setdefault(name, []).append(position)
    completed: dict[int, tuple[str, float]] = {}
    for name, positions in cut.items():
        fitting = [known for known in EXPORT if known.startswith(name) and known not in present]
        meanings = {known.removesuffix("_readable") for known in fitting}
        if len(fitting) == len(positions) or (len(meanings) == 1 and len(fitting) > len(positions)):
            confidence = CONFIDENCE["truncated"] if len(fitting) == 1 else _BY_ORDER
            completed.update({at: (known, confidence) for at, known in zip(positions, fitting, strict=False)})
    return completed


def _rank(name: str) -> int:
    aliases = ALIASES[_ALIAS[name]] if name in _ALIAS else ()
    return aliases.index(name) if name in aliases else 0


def _free_name(name: str, used: set[str]) -> str:
    if name not in used:
        return name
    return next(numbered for n in range(2, len(used) + 3) if (numbered := f"{name}.{n}") not in used)
