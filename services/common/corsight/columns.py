"""Which column of a file holds which field: the vendor's own names, and the spellings met at real sites."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    "camera_group": ("camera_group_data_group_name", "camera_group_name", "store"),
    "department": ("camera_group_data_group_departemen", "camera_group_data_group_department"),
    "division": ("camera_group_data_group_divisi", "camera_group_data_group_division"),
    "zone": ("zone_name",),
}
"""Field → other names of its column, the better first. The field's own name always wins."""

REQUIRED: tuple[tuple[str, ...], ...] = (
    ("person_id",),
    ("camera_id",),
    ("utc_time_started_readable", "utc_time_started"),
    ("utc_time_ended_readable", "utc_time_ended"),
)
"""Of each group a file needs one."""

# Custom properties of a camera group come as columns of this prefix, and their names differ from site to site.
_GROUP_PROPERTY = "camera_group_data_group"

_EXACT = {name: name for name in ALIASES}
_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`fields`: field → position; `extra`: position → name under which an unmodelled column is kept."""

    width: int
    fields: Mapping[str, int]
    extra: Mapping[int, str]
    warnings: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Required columns that are not there, by their preferred names."""
        return [group[0] for group in REQUIRED if not any(name in self.fields for name in group)]


def normalise_header(cell: str) -> str:
    """`\\ufeff Person ID ` → `person_id`."""
    return re.sub(r"[\s-]+", "_", cell.replace("\ufeff", "").strip().strip("\"'").strip().lower())


def map_columns(header: Sequence[str]) -> ColumnMap:
    """Exact names first, then aliases; of columns that mean the same one stands and the others are kept as extra."""
    names = [normalise_header(cell) for cell in header]
    fields: dict[str, int] = {}
    warnings: list[str] = []

    for known in (_EXACT, _ALIAS):
        ranked = sorted(
            (position for position, name in enumerate(names) if name in known),
            key=lambda position: (_rank(names[position]), position),
        )
        for position in ranked:
            target = known[names[position]]
            if target in fields:
                warnings.append(f"column {position + 1} ({header[position].strip()}) repeats {target} and is not used")
            else:
                fields[target] = position

    taken = set(fields.values())
    extra: dict[int, str] = {}
    for position, name in enumerate(names):
        if position in taken:
            continue
        if name.startswith(_GROUP_PROPERTY) and name not in _ALIAS:
            warnings.append(f"column {position + 1} ({name}) is a camera-group property that is not known")
        extra[position] = _free_name(name or f"column_{position + 1}", extra)
    return ColumnMap(width=len(names), fields=fields, extra=extra, warnings=warnings)


def _rank(name: str) -> int:
    aliases = ALIASES[_ALIAS[name]] if name in _ALIAS else ()
    return aliases.index(name) if name in aliases else 0


def _free_name(name: str, taken: Mapping[int, str]) -> str:
    used = set(taken.values())
    if name not in used:
        return name
    return next(numbered for n in range(2, len(used) + 3) if (numbered := f"{name}.{n}") not in used)
