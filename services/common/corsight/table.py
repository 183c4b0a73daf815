"""`rows.appearance_of` for a whole table of rows at once.

Both ways share the rules and give the same: the table's way decides what is plainly right and hands every other row to
`appearance_of`. A module of its own: who takes events one by one has no use for its libraries, which take 80 MB.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import numpy as np

from services.common.corsight.chunks import (
    MAX_ID_CHARS,
    MIN_PICTURE_CHARS,
    Reject,
    RowError,
    RowRules,
    is_image_name,
    is_kept,
)
from services.common.corsight.columns import ColumnMap
from services.common.corsight.demographics import age_groups_of, genders_of
from services.common.corsight.instants import Instants, as_datetimes, parse_instants
from services.common.corsight.rows import (
    END,
    MATCHED,
    MAX_NULL_CHARS,
    NULL_WORDS,
    REPORTED,
    START,
    appearance_of,
    text_of,
)
from services.common.events.appearances import Appearance, appearance_key
from services.common.events.common import OTHER

_OFTEN = 4
"""Times that a text must occur for looking it up to be cheaper than looking at it."""

NAMES = ("camera_description", "camera_group", "department", "division", "zone")
IDS = frozenset({"person_id", "camera_id", "appearance_id"})
TEXTS = ("person_id", "camera_id", "appearance_id", "poi_id", "match_outcome", *NAMES)


def appearances_of(
    cells: Sequence[Sequence[str]],
    *,
    lines: Sequence[int],
    raw: Sequence[bytes],
    columns: ColumnMap,
    prefix: str,
    rules: RowRules,
) -> tuple[list[Appearance], list[Reject]]:
    """`appearance_of` of every row of a table of texts: `cells` are its columns, which are the file's, by position."""
    count = len(lines)
    nothing: list[str | None] = [None] * count
    texts = {name: _texts(cells[columns.fields[name]]) if name in columns.fields else nothing for name in TEXTS}
    started_at, ended_at = _instants(cells, columns, START, rules), _instants(cells, columns, END, rules)
    is_plain = (
        (started_at <= ended_at)
        & (ended_at - started_at <= np.timedelta64(rules.max_dwell))
        & (ended_at <= _horizon(rules))
    )
    for name in IDS & columns.fields.keys():
        if max(map(len, cells[columns.fields[name]]), default=0) > MAX_ID_CHARS:
            is_plain &= np.array([len(text) <= MAX_ID_CHARS for text in cells[columns.fields[name]]])
    poi_ids = nothing
    if "poi_id" in columns.fields:
        poi_ids = [
            poi_id if outcome is not None and outcome.lower() == MATCHED else None
            for poi_id, outcome in zip(texts["poi_id"], texts["match_outcome"], strict=True)
        ]

    items: list[Appearance] = []
    rejects: list[Reject] = []
    # fmt: off
    for (
        place, plain, person_id, camera_id, start, end, reported, appearance_id, poi_id, age_group, gender,
        extra, camera_description, camera_group, department, division, zone,
    ) in zip(
        range(count), is_plain.tolist(), texts["person_id"], texts["camera_id"],
        as_datetimes(started_at), as_datetimes(ended_at), as_datetimes(_reported(cells, columns, ended_at, rules)),
        texts["appearance_id"], poi_ids,
        _demographics(cells, columns, "age_group", age_groups_of), _demographics(cells, columns, "gender", genders_of),
        _extras(cells, columns, count), *(texts[name] for name in NAMES), strict=True,
    ):
        # fmt: on
        source = f"{prefix}#{lines[place]}"
        if plain and person_id and camera_id and start and end and reported:
            items.append(
                Appearance(
                    appearance_key=appearance_key(appearance_id, person_id, camera_id, start),
                    camera_id=camera_id,
                    subject_id=person_id,
                    started_at=start,
                    ended_at=end,
                    reported_at=reported,
                    source=source,
                    appearance_id=appearance_id,
                    person_id=person_id,
                    poi_id=poi_id,
                    age_group=age_group,
                    gender=gender,
                    camera_description=camera_description,
                    camera_group=camera_group,
                    department=department,
                    division=division,
                    zone=zone,
                    extra=extra,
                )
            )
            continue
        fields = {name: cells[position][place] for name, position in columns.fields.items()}
        try:
            items.append(appearance_of(fields, extra=extra, source=source, rules=rules))
        except RowError as refused:
            rejects.append(Reject.of(refused, lines[place], source, raw[place]))
    return items, rejects


def _extras(cells: Sequence[Sequence[str]], columns: ColumnMap, count: int) -> list[dict[str, Any]]:
    """Per row the unmodelled columns that say something."""
    full: dict[str, Sequence[str]] = {}
    partial: list[tuple[str, Sequence[str], set[str]]] = []
    for position, name in columns.extra.items():
        values = cells[position]
        if all(values) and max(map(len, values)) < MIN_PICTURE_CHARS and not is_image_name(name):
            full[name] = values
            continue
        different = set(values)
        if kept := {value for value in different if is_kept(name, value)}:
            if len(kept) == len(different):
                full[name] = values
            else:
                partial.append((name, values, kept))
    rows = zip(*full.values(), strict=True) if full else iter(() for _ in range(count))
    extras: list[dict[str, Any]] = [dict(zip(full, row, strict=True)) for row in rows]
    for name, values, kept in partial:
        for extra, value in zip(extras, values, strict=True):
            if value in kept:
                extra[name] = value
    return extras


def _texts(values: Sequence[str]) -> list[str | None]:
    """`text_of` of every text."""
    different = set(values)
    if len(different) * _OFTEN < len(values):
        known = {value: text_of(value) for value in different}
        return [known[value] for value in values]
    trimmed = map(str.strip, values)
    return [None if len(text) <= MAX_NULL_CHARS and text.lower() in NULL_WORDS else text for text in trimmed]


def _instants(cells: Sequence[Sequence[str]], columns: ColumnMap, names: Sequence[str], rules: RowRules) -> Instants:
    """Per row the time in the first field that is not empty."""
    first, *others = [cells[columns.fields[name]] for name in names if name in columns.fields]
    for values in others:
        if all(first):
            break
        first = [text or instead for text, instead in zip(first, values, strict=True)]
    return parse_instants(first, rules.zone)


def _reported(cells: Sequence[Sequence[str]], columns: ColumnMap, ended_at: Instants, rules: RowRules) -> Instants:
    told = np.full(len(ended_at), np.datetime64("NaT", "us"))
    for name in REPORTED:
        left = np.flatnonzero(np.isnat(told))
        if name in columns.fields and len(left):
            values = cells[columns.fields[name]]
            told_by_it = values if len(left) == len(values) else [values[place] for place in left.tolist()]
            instants = parse_instants(told_by_it, rules.zone)
            instants[~(instants <= _horizon(rules))] = np.datetime64("NaT")
            told[left] = instants
    return np.where(np.isnat(told), ended_at, told)


def _horizon(rules: RowRules) -> np.datetime64:
    return np.datetime64(rules.horizon.astimezone(UTC).replace(tzinfo=None), "us")


def _demographics(
    cells: Sequence[Sequence[str]],
    columns: ColumnMap,
    name: str,
    normalise: Callable[[Sequence[str]], list[str]],
) -> list[str]:
    if name not in columns.fields:
        return [OTHER] * (len(cells[0]) if cells else 0)
    return normalise(cells[columns.fields[name]])
