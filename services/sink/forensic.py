"""Appearances in recorded video: stored as they are told, and seen by nothing that counts."""

from collections.abc import Sequence

import asyncpg
from msgspec import Raw

from services.common.events.appearances import Appearance
from services.sink.appearances import MERGED_COLUMNS, Key, merged_of, values_of
from services.sink.domain.reports import standing
from services.sink.domain.rows import AppearanceRow, canonical_extra
from services.sink.statements import execute_all, execute_each

_NO_REVISION = 0
"""No session record ever knows of these."""

_SELECT = f"""
SELECT camera_id, origin, {MERGED_COLUMNS}, source, extra::text
FROM forensic_appearances JOIN unnest($1::text[], $2::text[]) AS wanted (camera_id, appearance_key)
     USING (camera_id, appearance_key)
"""  # noqa: S608 - our own names

_PUT = """
INSERT INTO forensic_appearances
    (camera_id, appearance_key, origin, subject_id, started_at, ended_at, reported_at, age_group, gender,
     person_id, person_reported_at, poi_id, poi_reported_at, source, extra)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (camera_id, appearance_key, origin) DO UPDATE SET
    subject_id = excluded.subject_id, started_at = excluded.started_at, ended_at = excluded.ended_at,
    reported_at = excluded.reported_at, age_group = excluded.age_group, gender = excluded.gender,
    person_id = excluded.person_id, person_reported_at = excluded.person_reported_at,
    poi_id = excluded.poi_id, poi_reported_at = excluded.poi_reported_at,
    source = excluded.source, extra = excluded.extra
"""

_DELETE = """
DELETE FROM forensic_appearances USING unnest($1::text[], $2::text[], $3::text[])
    AS gone (camera_id, appearance_key, origin)
WHERE forensic_appearances.camera_id = gone.camera_id
      AND forensic_appearances.appearance_key = gone.appearance_key AND forensic_appearances.origin = gone.origin
"""


async def store_forensic(connection: asyncpg.Connection, reports: Sequence[Appearance]) -> None:
    """Store the reports, in the order of the log; what an origin withdraws is gone.

    The caller owns the partition of these appearances, so nobody else writes them meanwhile.
    """
    told: dict[Key, list[Appearance]] = {}
    for report in reports:
        told.setdefault((report.camera_id, report.appearance_key), []).append(report)
    known = await _stored(connection, list(told))
    put: list[tuple[object, ...]] = []
    gone: list[tuple[str, str, str]] = []
    for key, of_key in told.items():
        before = known.get(key, {})
        now = standing(before, ((report, _NO_REVISION) for report in of_key))
        put += [_values(row) for origin, row in now.items() if row != before.get(origin)]
        gone += [(*key, origin) for origin in before if origin not in now]
    await execute_each(connection, _PUT, put)
    await execute_all(connection, _DELETE, gone)


async def _stored(connection: asyncpg.Connection, keys: Sequence[Key]) -> dict[Key, dict[str, AppearanceRow]]:
    """By key and origin."""
    found = await connection.fetch(_SELECT, [camera_id for camera_id, _ in keys], [key for _, key in keys])
    stored: dict[Key, dict[str, AppearanceRow]] = {}
    for record in found:
        row = AppearanceRow(
            camera_id=record["camera_id"],
            merged=merged_of(record),
            source=record["source"],
            extra=canonical_extra(Raw(record["extra"].encode())),
            first_revision=_NO_REVISION,
        )
        stored.setdefault(row.key, {})[record["origin"]] = row
    return stored


def _values(row: AppearanceRow) -> tuple[object, ...]:
    camera_id, appearance_key, *rest, _ = values_of(row)
    return camera_id, appearance_key, row.origin, *rest
