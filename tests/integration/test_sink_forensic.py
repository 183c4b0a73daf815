"""Appearances in recorded video: stored, and in nobody's way, on a real PostgreSQL."""

from collections.abc import Sequence
from functools import reduce
from random import Random
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.common import origin_of
from services.common.topics import Topic
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import Writer
from tests.support.sink import CAMERA, GAP, random_report, seen

ORIGINS = ("upload:1", "corsight:history")

Rows = dict[tuple[str, str], tuple[Any, ...]]


async def store(pool: asyncpg.Pool, *batches: Sequence[Appearance]) -> None:
    """A record a report, all in one partition."""
    writer = Writer(pool, lambda _: GAP)
    end = 0
    for batch in batches:
        items = [Placed(item, Topic.APPEARANCES_FORENSIC, 0, end + place, 0) for place, item in enumerate(batch)]
        expected: dict[Partition, int] = {(Topic.APPEARANCES_FORENSIC, 0): end}
        await writer.offsets(expected)
        end += len(items)
        written = await writer.write(
            Batch({(Topic.APPEARANCES_FORENSIC, 0): end}, {Topic.APPEARANCES_FORENSIC: items}), expected
        )
        assert written.quarantined == []


async def rows(pool: asyncpg.Pool) -> Rows:
    found = await pool.fetch(
        "SELECT appearance_key, origin, camera_id, subject_id, started_at, ended_at, age_group, extra"
        " FROM forensic_appearances"
    )
    return {(row[0], row[1]): tuple(row)[2:] for row in found}


def row_of(reports: Sequence[Appearance]) -> tuple[Any, ...]:
    merged = reduce(MergedAppearance.merge, map(MergedAppearance.of, reports))
    return CAMERA, merged.subject_id, merged.started_at, merged.ended_at, merged.age_group, {}


def by(origin: str, report: Appearance, **changed: Any) -> Appearance:
    return replace(report, source=f"{origin}#1", **changed)


async def test_reports_of_one_origin_are_one_row_and_nothing_is_counted(pool: asyncpg.Pool) -> None:
    first, longer = seen("a", 0, 10, person=None), seen("a", -5, 20, extra={"face_score": 90.5})
    await store(pool, [by("upload:1", first)], [by("upload:1", longer), by("corsight:history", first)])
    found = await rows(pool)
    assert found == {
        ("a", "upload:1"): (CAMERA, "ann", longer.started_at, longer.ended_at, "other", {"face_score": 90.5}),
        ("a", "corsight:history"): row_of([first]),
    }
    for table in ("appearances", "sessions", "session_checks", "cameras"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize("seed", range(5))
async def test_the_cut_into_batches_changes_nothing_and_what_is_withdrawn_is_gone(
    pool: asyncpg.Pool, seed: int
) -> None:
    random = Random(seed)
    told = [by(random.choice(ORIGINS), random_report(random), withdrawn=random.random() < 0.2) for _ in range(60)]
    standing: dict[tuple[str, str], list[Appearance]] = {}
    for report in told:
        place = report.appearance_key, origin_of(report.source)
        if report.withdrawn:
            standing.pop(place, None)
        else:
            standing.setdefault(place, []).append(report)
    cut = random.randrange(1, len(told))
    await store(pool, told[:cut], told[cut:])
    assert await rows(pool) == {place: row_of(reports) for place, reports in standing.items()}
