"""What is known of cameras, merged with what is stored."""

from collections.abc import Iterable

import asyncpg

from services.sink.domain.rows import CameraRow, changed, merged
from services.sink.namings import columns, named
from services.sink.statements import execute_each

_INSERT_CAMERAS = "INSERT INTO cameras (camera_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"

# A camera is told of by several topics, so two sinks may hold news of it: the lock makes them take turns.
_SELECT_CAMERAS = "SELECT * FROM cameras WHERE camera_id = ANY($1) ORDER BY camera_id FOR UPDATE"

_UPDATE_CAMERA = """
UPDATE cameras SET description = $2, described_at = $3, camera_group = $4, camera_group_at = $5,
                   department = $6, department_at = $7, division = $8, division_at = $9, zone = $10, zone_at = $11,
                   heartbeat_source = $12, heartbeat_at = $13, last_seen_at = $14
WHERE camera_id = $1
"""


async def store_cameras(connection: asyncpg.Connection, rows: Iterable[CameraRow]) -> None:
    new = merged(rows)
    await connection.execute(_INSERT_CAMERAS, sorted(new))
    found = await connection.fetch(_SELECT_CAMERAS, list(new))
    stored = {row.key: row for row in map(_stored_camera, found)}
    await execute_each(connection, _UPDATE_CAMERA, [_camera_values(row) for row in changed(new, stored)])


def _stored_camera(record: asyncpg.Record) -> CameraRow:
    return CameraRow(
        record["camera_id"],
        description=named(record["description"], record["described_at"]),
        camera_group=named(record["camera_group"], record["camera_group_at"]),
        department=named(record["department"], record["department_at"]),
        division=named(record["division"], record["division_at"]),
        zone=named(record["zone"], record["zone_at"]),
        heartbeat=named(record["heartbeat_source"], record["heartbeat_at"]),
        last_seen_at=record["last_seen_at"],
    )


def _camera_values(row: CameraRow) -> tuple[object, ...]:
    return (
        row.camera_id,
        *columns(row.description),
        *columns(row.camera_group),
        *columns(row.department),
        *columns(row.division),
        *columns(row.zone),
        *columns(row.heartbeat),
        row.last_seen_at,
    )
