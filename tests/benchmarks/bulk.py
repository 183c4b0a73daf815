"""A file from its upload to the database, against the row-by-row loader that such products start from."""

import csv
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic

import asyncpg
import httpx

from deploy.local.services import CELERY
from services.common.events.appearances import Appearance
from services.common.postgres import create_pool
from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.load import CAMERAS, EXTRA, PRESENT, SIGHTINGS, at_camera
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_until

ROWS = 200_000
LOADER_ROWS = 5_000

SERVICES = ("gateway", "processor", "insights", "sink")
DRAIN_SECONDS = 600.0

PAGE = f"""
A CSV of {{rows:,}} rows with the vendor's columns ({{megabytes:.0f}} MB, {CAMERAS} cameras, {PRESENT} subjects at
each) goes through `POST /api/v1/uploads` into empty topics and an empty database. The clock runs from the first byte
sent to the last row visible in PostgreSQL: every appearance, the sessions over all of them, and every minute of
occupancy. Gateway, Celery worker, processor, insights, sink and the three servers share two cores.

The loader is what such products start from: pandas, `iterrows`, one ORM object a row, one wide table with six
indexes, a commit every 1,000 rows. It stores the rows alone: no sessions, no occupancy, and a repetition stores them
twice. It loads {{loader_rows:,}} rows of the same file into the same PostgreSQL.
"""


async def measure(bench: Bench) -> Section:
    # Sightings of a subject make one session, so that the last session is known beforehand.
    turn = CAMERAS * PRESENT * SIGHTINGS
    rows = max(1, bench.count(ROWS) // turn) * turn
    path = bench.folder / "upload.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(export(rows))
    loader_rows = bench.count(LOADER_ROWS)
    found = await bench.compare(
        upload=partial(_upload, bench, path.read_bytes(), rows),
        loader=partial(load_by_orm, bench, path, loader_rows),
    )
    return Section(
        "a file from its first byte to the last row in PostgreSQL",
        PAGE.format(rows=rows, loader_rows=loader_rows, megabytes=path.stat().st_size / 1e6),
        [
            Row("upload", found["upload"], "rows/s"),
            Row("row-by-row ORM loader", found["loader"], "rows/s"),
            Row("upload ÷ ORM loader", found["upload"] / found["loader"], "x", Goal(least=8)),
        ],
    )


async def _upload(bench: Bench, content: bytes, rows: int) -> float:
    async with bench.services() as processes:
        await processes.start(*SERVICES)
        processes.spawn("worker", "-m", "celery", *CELERY)

        async def worker_listens() -> bool:
            return " ready." in processes.log("worker").read_text()

        await wait_until(worker_listens, 60)
        database = processes.environment["DWELL_POSTGRES"]
        address = processes.address("gateway")
        async with (
            await create_pool(database, "benchmark") as pool,
            httpx.AsyncClient(base_url=address, timeout=300, trust_env=False) as http,
        ):
            pipeline = Pipeline(processes, http, pool)
            await pipeline.login()
            started = monotonic()
            await pipeline.upload("bulk.csv", content)
            await wait_until(partial(_is_all_there, pool, rows), DRAIN_SECONDS)
            return rows / (monotonic() - started)


async def _is_all_there(pool: asyncpg.Pool, rows: int) -> bool:
    if await pool.fetchval("SELECT count(*) FROM appearances") < rows:
        return False
    sessions = rows // SIGHTINGS
    counted = await pool.fetchval("SELECT sum(appearance_count) FROM sessions WHERE status = 'active'")
    entries, exits = await pool.fetchrow("SELECT sum(entries), sum(exits) FROM occupancy_minutes")
    return (counted, entries, exits) == (rows, sessions, sessions)


async def load_by_orm(bench: Bench, path: Path, rows: int, cores: set[int] | None = None) -> float:
    """Rows a second of the row-by-row loader, on these cores."""
    async with bench.services() as processes:
        loader = processes.spawn("loader", "-m", "tests.benchmarks.orm_loader", str(path), str(rows))
        if cores:
            pin(loader.pid, cores)

        async def has_ended() -> bool:
            return loader.poll() is not None

        await wait_until(has_ended, DRAIN_SECONDS)
        return float(processes.log("loader").read_text())


def export(rows: int) -> Iterable[list[str]]:
    """The file as the vendor writes one: the cameras mixed, in order of time."""
    of_cameras = [islice(at_camera(camera), rows // CAMERAS) for camera in range(CAMERAS)]
    yield list(_cells(next(at_camera(0))))
    for turn in zip(*of_cameras, strict=True):
        for appearance in turn:
            yield list(_cells(appearance).values())


def _cells(seen: Appearance) -> dict[str, str]:
    start, end = (instant.isoformat(sep=" ", timespec="milliseconds") for instant in (seen.started_at, seen.ended_at))
    return {
        "person_id": seen.person_id or "",
        "appearance_id": seen.appearance_id or "",
        "utc_time_recorded": f"{seen.reported_at.timestamp():.3f}",
        "utc_time_recorded_readable": end,
        "utc_time_started": f"{seen.started_at.timestamp():.3f}",
        "utc_time_started_readable": start,
        "utc_time_ended": f"{seen.ended_at.timestamp():.3f}",
        "utc_time_ended_readable": end,
        "camera_id": seen.camera_id,
        "camera_description": seen.camera_description or "",
        "camera_group_data_group_name": seen.camera_group or "",
        "camera_group_data_group_departemen": seen.department or "",
        "camera_group_data_group_divisi": seen.division or "",
        "zone_name": seen.zone or "",
        "age_group_outcome": seen.age_group,
        "gender_outcome": seen.gender,
        **EXTRA,
    }
