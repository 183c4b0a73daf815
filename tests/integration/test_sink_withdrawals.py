"""Reports and insights that are taken back, on a real PostgreSQL."""

from collections.abc import Sequence
from random import Random

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.common import origin_of
from services.common.events.insights import MergedInsight
from services.common.events.sessions import Session, appearances_before, revision_after
from services.common.topics import Topic
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import Writer
from tests import oracle
from tests.support import stored
from tests.support.facts import merged_insight
from tests.support.sink import CAMERA, GAP, Sink, random_report, seen

APPEARANCE = (
    "camera_id", "appearance_key", "subject_id", "started_at", "ended_at", "age_group", "gender",
)  # fmt: skip

ORIGINS = ("upload:1", "upload:2", "corsight:webhook")

INSIGHT = merged_insight("i", CAMERA, 0, revision=5)


@pytest.fixture
def sink(pool: asyncpg.Pool) -> Sink:
    return Sink(pool)


def gone(report: Appearance) -> Appearance:
    return replace(report, withdrawn=True)


def by(origin: str, report: Appearance) -> Appearance:
    return replace(report, source=f"{origin}#1")


async def appearances(pool: asyncpg.Pool) -> stored.Rows:
    return stored.keyed(await pool.fetch("SELECT * FROM appearances"), APPEARANCE)


def right(records: Sequence[Sequence[Appearance]]) -> stored.Rows:
    accepted = [msgspec.to_builtins(report) for record in records for report in record]
    return stored.expected(oracle.appearances(oracle.reports(accepted)), APPEARANCE)


def tellers(records: Sequence[Sequence[Appearance]]) -> dict[str, set[str]]:
    """Key → the origins that report it in the end."""
    told: dict[str, set[str]] = {}
    for report in (report for record in records for report in record):
        origins = told.setdefault(report.appearance_key, set())
        (origins.discard if report.withdrawn else origins.add)(origin_of(report.source))
    return {key: origins for key, origins in told.items() if origins}


def told_by_a_processor(records: Sequence[Sequence[Appearance]], random: Random) -> list[list[Session]]:
    """Whose state is gone now and then."""
    values: dict[str, bytes] = {}
    told = []
    for offset, record in enumerate(records):
        if random.random() < 0.1:
            values.clear()
        state = CameraState(values.get)
        told.append(step(state, record, camera_id=CAMERA, gap=GAP, revision=revision_after(offset)))
        values.update(state.writes())
    return told


class TestAppearances:
    async def test_what_only_one_reported_is_gone_and_so_is_its_session(self, sink: Sink, pool: asyncpg.Pool) -> None:
        record = [seen("a", 0, 10)]
        [told] = told_by_a_processor([record], Random(1))
        await sink.hears(record)
        await sink.is_told(told)
        await sink.hears([gone(seen("a", 0, 10))])
        assert await pool.fetchval("SELECT count(*) FROM appearances") == 0
        assert await sink.sessions() == {}
        [absorbed] = await sink.outbox()
        assert (absorbed.status, absorbed.absorbed_into, absorbed.revision) == ("absorbed", None, told[0].revision + 1)

    async def test_a_session_told_after_its_appearances_were_taken_back_does_not_stay(self, sink: Sink) -> None:
        record = [seen("a", 0, 10)]
        [told] = told_by_a_processor([record], Random(1))
        await sink.hears(record, [gone(seen("a", 0, 10))])
        await sink.is_told(told)
        assert await sink.sessions() == {}
        assert [each.status for each in await sink.outbox()] == ["absorbed"]

    async def test_the_first_origin_is_remembered_as_it_was_before_the_second_came(
        self, sink: Sink, pool: asyncpg.Pool
    ) -> None:
        live = by("corsight:webhook", seen("a", 0, 10, person=None, gender="male"))
        upload = by("upload:1", seen("a", -60, 300, person="ann", gender="female"))
        await sink.hears([live])
        before = await pool.fetchrow("SELECT * FROM appearances")
        await sink.hears([upload])
        assert await pool.fetchval("SELECT subject_id FROM appearances") == "ann"
        assert await pool.fetchval("SELECT count(*) FROM appearance_reports") == 2
        await sink.hears([gone(upload)])
        assert await pool.fetchrow("SELECT * FROM appearances") == before
        assert await pool.fetchval("SELECT count(*) FROM appearance_reports") == 0

    async def test_one_origin_alone_has_no_row_beside_the_appearance(self, sink: Sink, pool: asyncpg.Pool) -> None:
        record = [by("corsight:webhook", seen("a", 0, end)) for end in (5, 10)]
        await sink.hears(record, [by("corsight:webhook", seen("a", 0, 15))])
        assert await pool.fetchval("SELECT origins FROM appearances") == 1
        assert await pool.fetchval("SELECT count(*) FROM appearance_reports") == 0

    @pytest.mark.parametrize("seed", range(12))
    async def test_whatever_is_taken_back_the_tables_are_the_oracles_of_the_rest(
        self, sink: Sink, pool: asyncpg.Pool, seed: int
    ) -> None:
        random = Random(seed)
        records = [[random_item(random) for _ in range(random.randint(1, 3))] for _ in range(30)]
        told = [session for record in told_by_a_processor(records, random) for session in record]
        for again in (False, True):
            if again:
                await sink.starts_anew()
            heard, pending = 0, list(told)
            while pending:
                batch, pending = pending[: (cut := random.randint(1, 6))], pending[cut:]
                needed = max(appearances_before(each.revision) for each in batch)
                ahead = random.randint(max(heard, needed), len(records))
                await sink.hears(*records[heard:ahead])
                heard = ahead
                await sink.is_told(batch)
            await sink.hears(*records[heard:])
            assert await appearances(pool) == right(records)
            assert await sink.sessions() == sink.right()
            counted = {row[0]: row[1] for row in await pool.fetch("SELECT appearance_key, origins FROM appearances")}
            assert counted == {key: len(origins) for key, origins in tellers(records).items()}
            rows = await pool.fetch("SELECT appearance_key, origin FROM appearance_reports")
            shared = {(key, each) for key, origins in tellers(records).items() for each in origins if len(origins) > 1}
            assert {tuple(row) for row in rows} == shared


def random_item(random: Random) -> Appearance:
    return replace(by(random.choice(ORIGINS), random_report(random)), withdrawn=random.random() < 0.3)


class TestInsights:
    @pytest.mark.parametrize(
        ("records", "kept"),
        [
            ([INSIGHT, replace(INSIGHT, revision=6, withdrawn=True)], []),
            ([replace(INSIGHT, revision=6, withdrawn=True), INSIGHT], []),
            ([INSIGHT, replace(INSIGHT, revision=6, withdrawn=True), replace(INSIGHT, revision=7)], [7]),
            ([replace(INSIGHT, revision=7), replace(INSIGHT, revision=6, withdrawn=True)], [7]),
        ],
        ids=["gone", "told of late", "reported again", "reported again, read again"],
    )
    @pytest.mark.parametrize("at_once", [True, False])
    async def test_the_greatest_revision_says_whether_it_is_there(
        self, pool: asyncpg.Pool, records: list[MergedInsight], kept: list[int], at_once: bool
    ) -> None:
        writer = Writer(pool, lambda _: GAP)
        place: Partition = (Topic.INSIGHTS_MERGED, 0)
        for offset, items in enumerate([records] if at_once else [[each] for each in records]):
            placed = [Placed(item, Topic.INSIGHTS_MERGED, 0, offset, n) for n, item in enumerate(items)]
            await writer.write(
                Batch({place: offset + 1}, {Topic.INSIGHTS_MERGED: placed}), await writer.offsets([place])
            )
        assert [row["revision"] for row in await pool.fetch("SELECT revision FROM insights")] == kept
