"""The rows that are merged with what is stored: appearances and cameras."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from itertools import chain, starmap

import asyncpg
from msgspec import Raw
from msgspec.structs import astuple

from services.common.events.appearances import Appearance, MergedAppearance, Naming, subject_id_of
from services.sink.domain.repair import Check, misleading
from services.sink.domain.rows import AppearanceRow, CameraRow, canonical_extra, changed, merged

Key = tuple[str, str]
"""camera_id, appearance_key"""

MERGED_COLUMNS = """
appearance_key, started_at, ended_at, reported_at, age_group, gender,
person_id, person_reported_at, poi_id, poi_reported_at
"""

_SELECT_APPEARANCES = f"""
SELECT camera_id, {MERGED_COLUMNS}, source, extra::text, first_revision
FROM appearances JOIN unnest($1::text[], $2::text[]) AS wanted (camera_id, appearance_key)
     USING (camera_id, appearance_key)
"""  # noqa: S608 - our own names

_APPEARANCE_COLUMNS = (
    "camera_id", "appearance_key", "subject_id", "started_at", "ended_at", "reported_at", "age_group", "gender",
    "person_id", "person_reported_at", "poi_id", "poi_reported_at", "source", "extra", "first_revision",
)  # fmt: skip

_UPDATE_APPEARANCE = """
UPDATE appearances
SET subject_id = $3, started_at = $4, ended_at = $5, reported_at = $6, age_group = $7, gender = $8,
    person_id = $9, person_reported_at = $10, poi_id = $11, poi_reported_at = $12,
    source = $13, extra = $14, first_revision = $15
WHERE camera_id = $1 AND appearance_key = $2
"""

_INSERT_CAMERAS = "INSERT INTO cameras (camera_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"

# A camera is told of by several topics, so two sinks may hold news of it: the lock makes them take turns.
_SELECT_CAMERAS = "SELECT * FROM cameras WHERE camera_id = ANY($1) ORDER BY camera_id FOR UPDATE"

_UPDATE_CAMERA = """
UPDATE cameras SET description = $2, described_at = $3, camera_group = $4, camera_group_at = $5,
                   department = $6, department_at = $7, division = $8, division_at = $9, zone = $10, zone_at = $11,
                   heartbeat_source = $12, heartbeat_at = $13, last_seen_at = $14
WHERE camera_id = $1
"""


_INSERT_CHECKS = """
INSERT INTO session_checks (camera_id, subject_id, started_at, ended_at, revision) VALUES ($1, $2, $3, $4, $5)
"""


async def store_appearances(connection: asyncpg.Connection, told: Sequence[tuple[Appearance, int]]) -> None:
    """The reports with their revisions, in the order of the log.

    The caller owns the partition of these appearances, so nobody else writes them meanwhile.
    """
    first: dict[Key, tuple[Appearance, int]] = {}
    retold: dict[Key, list[AppearanceRow]] = {}
    for report, revision in told:
        key = report.camera_id, report.appearance_key
        if key in first:
            retold.setdefault(key, []).append(AppearanceRow.of(report, revision))
        else:
            first[key] = report, revision
    found = await connection.fetch(_SELECT_APPEARANCES, [key[0] for key in first], [key[1] for key in first])
    stored = {row.key: row for row in map(_stored_appearance, found)}
    # Nearly all are told for the first time and but once: these are not worth more than their values.
    for key in dict.fromkeys([*stored, *retold]):
        retold[key] = [AppearanceRow.of(*first.pop(key)), *retold.get(key, ())]
    now = {key: reduce(AppearanceRow.merge, rows) for key, rows in retold.items()}
    await connection.copy_records_to_table(
        "appearances",
        columns=_APPEARANCE_COLUMNS,
        # Made while PostgreSQL takes those before.
        records=chain(
            starmap(values_of_one, first.values()), (values_of(row) for key, row in now.items() if key not in stored)
        ),
    )
    retaken = {key: row for key, row in now.items() if key in stored}
    await execute_each(connection, _UPDATE_APPEARANCE, [values_of(row) for row in changed(retaken, stored)])
    checks = _checks(retold, now, stored)
    await execute_each(connection, _INSERT_CHECKS, [(*astuple(check.span), check.revision) for check in checks])


async def execute_each(connection: asyncpg.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Execute the statement for each of the rows; nothing goes to the server where there are none."""
    if rows:
        await connection.executemany(statement, rows)


def _checks(
    retold: Mapping[Key, list[AppearanceRow]], now: Mapping[Key, AppearanceRow], stored: Mapping[Key, AppearanceRow]
) -> list[Check]:
    checks = []
    for key, rows in retold.items():
        before = stored.get(key)
        reports = [(row.first_revision, row.merged) for row in rows]
        checks += misleading(before, reports, before.merge(now[key]) if before else now[key])
    return checks


async def store_cameras(connection: asyncpg.Connection, rows: Iterable[CameraRow]) -> None:
    new = merged(rows)
    await connection.execute(_INSERT_CAMERAS, sorted(new))
    found = await connection.fetch(_SELECT_CAMERAS, list(new))
    stored = {row.key: row for row in map(_stored_camera, found)}
    await execute_each(connection, _UPDATE_CAMERA, [_camera_values(row) for row in changed(new, stored)])


def merged_of(record: asyncpg.Record) -> MergedAppearance:
    """From the `MERGED_COLUMNS` of an appearance."""
    return MergedAppearance(
        appearance_key=record["appearance_key"],
        started_at=record["started_at"],
        ended_at=record["ended_at"],
        reported_at=record["reported_at"],
        age_group=record["age_group"],
        gender=record["gender"],
        person=_named(record["person_id"], record["person_reported_at"]),
        poi=_named(record["poi_id"], record["poi_reported_at"]),
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
        *_columns(report.person),
        *_columns(report.poi),
        row.source,
        Raw(row.extra.encode()),
        row.first_revision,
    )


def _stored_camera(record: asyncpg.Record) -> CameraRow:
    return CameraRow(
        record["camera_id"],
        description=_named(record["description"], record["described_at"]),
        camera_group=_named(record["camera_group"], record["camera_group_at"]),
        department=_named(record["department"], record["department_at"]),
        division=_named(record["division"], record["division_at"]),
        zone=_named(record["zone"], record["zone_at"]),
        heartbeat=_named(record["heartbeat_source"], record["heartbeat_at"]),
        last_seen_at=record["last_seen_at"],
    )


def _camera_values(row: CameraRow) -> tuple[object, ...]:
    return (
        row.camera_id,
        *_columns(row.description),
        *_columns(row.camera_group),
        *_columns(row.department),
        *_columns(row.division),
        *_columns(row.zone),
        *_columns(row.heartbeat),
        row.last_seen_at,
    )


def _named(name: str | None, at: datetime | None) -> Naming | None:
    return None if name is None or at is None else Naming(at, name)


def _columns(naming: Naming | None) -> tuple[str | None, datetime | None]:
    return (naming.name, naming.reported_at) if naming else (None, None)
