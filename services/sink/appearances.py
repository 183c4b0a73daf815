"""Appearances, merged with what is stored, and what each of several origins reports of one."""

from collections.abc import Mapping, Sequence
from itertools import chain

import asyncpg
from msgspec import Raw
from msgspec.structs import astuple

from services.common.events.appearances import Appearance, MergedAppearance, subject_id_of
from services.sink.domain.reports import ByOrigin, Heard, Told, change, checks, standing, united
from services.sink.domain.rows import AppearanceRow, canonical_extra
from services.sink.namings import columns, named
from services.sink.statements import execute_all, execute_each

Key = tuple[str, str]
"""camera_id, appearance_key"""

MANY = 1_000
"""Below it a look-up costs next to nothing, and live reports are mostly of appearances that are known."""

MERGED_COLUMNS = """
appearance_key, started_at, ended_at, reported_at, age_group, gender,
person_id, person_reported_at, poi_id, poi_reported_at
"""

_SELECT_APPEARANCES = f"""
SELECT camera_id, {MERGED_COLUMNS}, source, extra::text, first_revision, origins
FROM appearances JOIN unnest($1::text[], $2::text[]) AS wanted (camera_id, appearance_key)
     USING (camera_id, appearance_key)
"""  # noqa: S608 - our own names

_APPEARANCE_COLUMNS = (
    "camera_id", "appearance_key", "subject_id", "started_at", "ended_at", "reported_at", "age_group", "gender",
    "person_id", "person_reported_at", "poi_id", "poi_reported_at", "source", "extra", "first_revision",
)  # fmt: skip

_SELECT_REPORTS = f"""
SELECT camera_id, {MERGED_COLUMNS}, source, extra::text, first_revision
FROM appearance_reports JOIN unnest($1::text[], $2::text[]) AS wanted (camera_id, appearance_key)
     USING (camera_id, appearance_key)
"""  # noqa: S608 - our own names

_UPDATE_APPEARANCE = """
UPDATE appearances
SET subject_id = $3, started_at = $4, ended_at = $5, reported_at = $6, age_group = $7, gender = $8,
    person_id = $9, person_reported_at = $10, poi_id = $11, poi_reported_at = $12,
    source = $13, extra = $14, first_revision = $15
WHERE camera_id = $1 AND appearance_key = $2
"""

_DELETE_APPEARANCES = """
DELETE FROM appearances USING unnest($1::text[], $2::text[]) AS gone (camera_id, appearance_key)
WHERE appearances.camera_id = gone.camera_id AND appearances.appearance_key = gone.appearance_key
"""

_COUNT_ORIGINS = """
UPDATE appearances SET origins = counted.origins
FROM unnest($1::text[], $2::text[], $3::smallint[]) AS counted (camera_id, appearance_key, origins)
WHERE appearances.camera_id = counted.camera_id AND appearances.appearance_key = counted.appearance_key
"""

_REPORT_COLUMNS = ("camera_id", "appearance_key", "origin", *_APPEARANCE_COLUMNS[3:])

_UPDATE_REPORT = """
UPDATE appearance_reports
SET started_at = $4, ended_at = $5, reported_at = $6, age_group = $7, gender = $8,
    person_id = $9, person_reported_at = $10, poi_id = $11, poi_reported_at = $12,
    source = $13, extra = $14, first_revision = $15
WHERE camera_id = $1 AND appearance_key = $2 AND origin = $3
"""

_DELETE_REPORTS = """
DELETE FROM appearance_reports USING unnest($1::text[], $2::text[], $3::text[])
    AS gone (camera_id, appearance_key, origin)
WHERE appearance_reports.camera_id = gone.camera_id AND appearance_reports.appearance_key = gone.appearance_key
      AND appearance_reports.origin = gone.origin
"""

_CHECK_COLUMNS = ("camera_id", "subject_id", "started_at", "ended_at", "revision", "withdrawn")


class Appearances:
    """The table of appearances, for one writer at a time.

    Where nothing of the last batch was known, a large one is put without looking first: the table's key says whether
    that was right, and a look-up costs an eighth of what putting the row does.
    """

    def __init__(self) -> None:
        self._all_new = False

    async def store(self, connection: asyncpg.Connection, told: Sequence[Told]) -> Heard:
        """Store the reports, in the order of the log; gives what of their sessions is to be looked at at once.

        The caller owns the partition of these appearances, so nobody else writes them meanwhile.
        """
        first: dict[Key, Told] = {}
        again: dict[Key, list[Told]] = {}
        for each in told:
            report = each[0]
            key = report.camera_id, report.appearance_key
            if key in first:
                again.setdefault(key, []).append(each)
            else:
                first[key] = each
                if report.withdrawn:
                    again[key] = []
        # What is told and taken back at once is not put, so the table's key would not say that it is stored.
        if self._all_new and len(first) >= MANY and not any(report.withdrawn for report, _ in told):
            try:
                async with connection.transaction():
                    return await _put(connection, first, again, {}, {})
            except asyncpg.UniqueViolationError:
                pass
        stored, known = await _stored(connection, list(first))
        self._all_new = not stored
        return await _put(connection, first, again, stored, known)


async def _put(
    connection: asyncpg.Connection,
    first: Mapping[Key, Told],
    again: Mapping[Key, list[Told]],
    stored: Mapping[Key, AppearanceRow],
    known: Mapping[Key, ByOrigin],
) -> Heard:
    # Nearly all are told for the first time and but once: these are not worth more than their values.
    retold = {key: [first[key], *again.get(key, ())] for key in dict.fromkeys([*stored, *again])}
    by_origin = {key: standing(known.get(key, {}), reports) for key, reports in retold.items()}
    now = {key: row for key, rows in by_origin.items() if (row := united(rows))}
    await connection.copy_records_to_table(
        "appearances",
        columns=_APPEARANCE_COLUMNS,
        # Made while PostgreSQL takes those before.
        records=chain(
            (values_of_one(*each) for key, each in first.items() if key not in retold),
            (values_of(row) for key, row in now.items() if key not in stored),
        ),
    )
    changed = [row for key, row in now.items() if key in stored and row != stored[key]]
    await execute_each(connection, _UPDATE_APPEARANCE, [values_of(row) for row in changed])
    await execute_all(connection, _DELETE_APPEARANCES, [key for key in stored if key not in now])
    await _store_reports(connection, known, by_origin)
    found = [check for key, reports in retold.items() for check in checks(known.get(key, {}), reports, now.get(key))]
    if found:
        await connection.copy_records_to_table(
            "session_checks",
            columns=_CHECK_COLUMNS,
            records=((*astuple(check.span), check.revision, check.withdrawn) for check in found),
        )
    changes = (change(stored[key], retold[key], now[key]) for key in stored if key in now)
    return Heard([check.span for check in found if check.withdrawn], [each for each in changes if each])


async def _stored(
    connection: asyncpg.Connection, keys: Sequence[Key]
) -> tuple[dict[Key, AppearanceRow], dict[Key, ByOrigin]]:
    """The rows of those that are stored, and what each origin reports of them."""
    found = await connection.fetch(_SELECT_APPEARANCES, *_keys(keys))
    stored = {row.key: row for row in map(_stored_appearance, found)}
    known: dict[Key, dict[str, AppearanceRow]] = {key: {row.origin: row} for key, row in stored.items()}
    shared = [(record["camera_id"], record["appearance_key"]) for record in found if record["origins"] > 1]
    if shared:
        known |= {key: {} for key in shared}
        for row in map(_stored_appearance, await connection.fetch(_SELECT_REPORTS, *_keys(shared))):
            known[row.key][row.origin] = row
    return stored, {**known}


async def _store_reports(
    connection: asyncpg.Connection, known: Mapping[Key, ByOrigin], now: Mapping[Key, ByOrigin]
) -> None:
    """A row an origin where there are several, and none where there is but one, whose row is the appearance's."""
    new: list[tuple[object, ...]] = []
    changed: list[tuple[object, ...]] = []
    gone: list[tuple[str, str, str]] = []
    counted: list[tuple[str, str, int]] = []
    for key, rows in now.items():
        told_by = len(known[key]) if key in known else 1
        before, after = (each if len(each) > 1 else {} for each in (known.get(key, {}), rows))
        new += [_report_values(row) for origin, row in after.items() if origin not in before]
        changed += [_report_values(row) for origin, row in after.items() if before.get(origin, row) != row]
        gone += [(*key, origin) for origin in before if origin not in after]
        if rows and len(rows) != told_by:
            counted.append((*key, len(rows)))
    if new:
        await connection.copy_records_to_table("appearance_reports", columns=_REPORT_COLUMNS, records=new)
    await execute_each(connection, _UPDATE_REPORT, changed)
    await execute_all(connection, _DELETE_REPORTS, gone)
    await execute_all(connection, _COUNT_ORIGINS, counted)


def _keys(keys: Sequence[Key]) -> tuple[list[str], list[str]]:
    return [camera_id for camera_id, _ in keys], [key for _, key in keys]


def merged_of(record: asyncpg.Record) -> MergedAppearance:
    """From the `MERGED_COLUMNS` of an appearance."""
    return MergedAppearance(
        appearance_key=record["appearance_key"],
        started_at=record["started_at"],
        ended_at=record["ended_at"],
        reported_at=record["reported_at"],
        age_group=record["age_group"],
        gender=record["gender"],
        person=named(record["person_id"], record["person_reported_at"]),
        poi=named(record["poi_id"], record["poi_reported_at"]),
    )


def _stored_appearance(record: asyncpg.Record) -> AppearanceRow:
    return AppearanceRow(
        camera_id=record["camera_id"],
        merged=merged_of(record),
        source=record["source"],
        extra=canonical_extra(Raw(record["extra"].encode())),
        first_revision=record["first_revision"],
    )


def values_of_one(report: Appearance, revision: int) -> tuple[object, ...]:
    """What `values_of` gives for the row of one report."""
    person, poi, at = report.person_id or None, report.poi_id or None, report.reported_at
    return (
        report.camera_id,
        report.appearance_key,
        subject_id_of(person, poi, report.appearance_key),
        report.started_at,
        report.ended_at,
        at,
        report.age_group,
        report.gender,
        person,
        at if person else None,
        poi,
        at if poi else None,
        report.source,
        report.extra,
        revision,
    )


def values_of(row: AppearanceRow) -> tuple[object, ...]:
    report = row.merged
    return (
        row.camera_id,
        report.appearance_key,
        report.subject_id,
        report.started_at,
        report.ended_at,
        report.reported_at,
        report.age_group,
        report.gender,
        *columns(report.person),
        *columns(report.poi),
        row.source,
        Raw(row.extra.encode()),
        row.first_revision,
    )


def _report_values(row: AppearanceRow) -> tuple[object, ...]:
    camera_id, appearance_key, _, *rest = values_of(row)
    return camera_id, appearance_key, row.origin, *rest
