"""The sink against a plain COPY of the rows that it comes to."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

import asyncpg
from aiokafka.partitioner import murmur2

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.common import MAX_ENVELOPE_ITEMS
from services.common.events.sessions import OccupancyMinute, Session, revision_after
from services.common.kafka.envelopes import envelopes
from services.common.sessions import session_of
from services.common.topics import PARTITIONS, Topic
from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.load import CAMERAS, PRESENT, Records, at_camera, fill
from tests.support.databases import fresh_database

APPEARANCES = 200_000

TABLES = ("appearances", "sessions", "occupancy_minutes")

TOPICS = (Topic.APPEARANCES, Topic.SESSIONS, Topic.OCCUPANCY)

POLL_SECONDS = 0.1

PAGE = f"""
One process on one core, `python -m services.sink` as it is deployed, reads topics that were filled before; PostgreSQL
and broker have two. {{appearances:,}} appearances of {CAMERAS} cameras in records of 500, the
sessions that a processor makes of them record by record, {PRESENT} subjects present at each camera, and the minutes
that these touch. Timed from its first commit seen to its last; rows are those of the three tables in the end, though a
session and a minute are told several times. Offsets are in the same transactions, and every session record is checked
for appearances that it lacks. **COPY** puts the same rows by asyncpg's binary COPY, a transaction a table, into the
same tables with their indexes.
"""

COUNT = " + ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)


async def measure(bench: Bench) -> Section:
    load = Load.of(bench.count(APPEARANCES))
    tables: dict[str, list[asyncpg.Record]] = {}

    async def sink() -> float:
        async with bench.services() as processes:
            for topic in TOPICS:
                await fill(bench.servers.kafka, topic, load.records[topic])
            database = await asyncpg.connect(processes.environment["DWELL_POSTGRES"])
            pin(processes.spawn("sink", "-m", "services.sink").pid, bench.one)
            rate = await _until_stored(database, load)
            for table in TABLES:
                tables[table] = await database.fetch(f"SELECT * FROM {table}")
            await database.close()
            return rate

    async def copy() -> float:
        async with fresh_database(bench.servers.postgres) as dsn:
            database = await asyncpg.connect(dsn)
            started = time.perf_counter()
            for table, rows in tables.items():
                await database.copy_records_to_table(table, records=rows)
            seconds = time.perf_counter() - started
            await database.close()
            return sum(map(len, tables.values())) / seconds

    found = await bench.compare(sink=sink, copy=copy)
    return Section(
        "rows, rollups and offsets against a plain COPY",
        PAGE.format(appearances=load.appearances),
        [
            Row("sink", found["sink"], "rows/s"),
            Row("COPY", found["copy"], "rows/s"),
            Row("sink ÷ COPY", found["sink"] / found["copy"], "x", Goal(least=0.5)),
        ],
    )


async def _until_stored(database: asyncpg.Connection, load: "Load") -> float:
    """Rows a second, from the first commit seen to the last."""

    async def at_least(records: int) -> None:
        while (await database.fetchval("SELECT sum(next_offset) FROM sink_offsets") or 0) < records:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)

    await at_least(1)
    started, before = time.perf_counter(), await database.fetchval(f"SELECT {COUNT}")
    await at_least(sum(map(len, load.records.values())))
    seconds = time.perf_counter() - started
    return float((await database.fetchval(f"SELECT {COUNT}") - before) / seconds)


@dataclass(frozen=True, slots=True)
class Load:
    """What the topics hold: appearances, and what processor and insights would have told of them."""

    appearances: int
    records: dict[Topic, Records] = field(default_factory=lambda: {topic: [] for topic in TOPICS})

    @classmethod
    def of(cls, appearances: int) -> "Load":
        """The cameras take turns, a record each."""
        load = cls(appearances)
        streams = [at_camera(camera) for camera in range(CAMERAS)]
        running: dict[str, list[MergedAppearance]] = {}
        offsets = [0] * PARTITIONS
        for _ in range(appearances // CAMERAS // MAX_ENVELOPE_ITEMS):
            for stream in streams:
                reports = list(islice(stream, MAX_ENVELOPE_ITEMS))
                [(key, value)] = envelopes(Topic.APPEARANCES, reports, "upload:5f0c1a52")
                partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
                revision = revision_after(offsets[partition])
                offsets[partition] += 1
                sessions = list(_sessions(reports, running, revision))
                load.records[Topic.APPEARANCES].append((key, value))
                load.records[Topic.SESSIONS] += envelopes(Topic.SESSIONS, sessions, "processor")
                load.records[Topic.OCCUPANCY] += envelopes(Topic.OCCUPANCY, _minutes(sessions, revision), "insights")
        return load


def _sessions(
    reports: Iterable[Appearance], running: dict[str, list[MergedAppearance]], revision: int
) -> Iterator[Session]:
    """Everybody comes once: the appearances of a subject are one session."""
    touched = {}
    for report in reports:
        running.setdefault(report.subject_id, []).append(MergedAppearance.of(report))
        touched[report.subject_id] = report.camera_id
    for subject_id, camera_id in touched.items():
        yield session_of(camera_id, subject_id, running[subject_id], revision)


def _minutes(sessions: list[Session], revision: int) -> Iterator[OccupancyMinute]:
    """The minutes touched; what they count costs the sink nothing."""
    minute = min(each.started_at for each in sessions).replace(second=0, microsecond=0)
    while minute <= max(each.ended_at for each in sessions):
        yield OccupancyMinute(
            camera_id=sessions[0].camera_id,
            minute=minute,
            occupancy_avg=float(PRESENT),
            occupancy_peak=PRESENT,
            entries=len(sessions),
            exits=0,
            revision=revision,
        )
        minute += timedelta(minutes=1)
