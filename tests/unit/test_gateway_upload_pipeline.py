"""From a file's bytes to what is published, held, and written down; and on behind any checkpoint."""

import gc
import gzip
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.common.corsight.chunks import Chunk
from services.common.corsight.csv import read_appearances
from services.common.corsight.files import FileTooLargeError
from services.common.kafka.producer import EventProducer, PublishError
from services.common.topics import Topic
from services.gateway.models import Upload, UploadSummary
from services.gateway.settings import GatewaySettings
from services.gateway.uploads import pipeline, summary
from services.gateway.uploads.job import Checkpoint, Counts, Job, Published, StoppedError
from services.gateway.uploads.resolutions import Fix
from services.gateway.uploads.store import RawStore
from services.gateway.uploads.withdrawal import withdraw_file

HEADER = "person_id,camera_id,utc_time_started_readable,utc_time_ended_readable\n"

CHUNK_ROWS = 10


def row(number: int) -> str:
    at = f"2026-03-10 {number // 60:02}:{number % 60:02}"
    return f"p{number},cam,{at}:00,{at}:30\n"


def good(count: int, start: int = 0) -> str:
    return "".join(row(number) for number in range(start, start + count))


def bad(count: int) -> str:
    return ",cam,2026-03-10 10:00,2026-03-10 10:01\n" * count


class Store:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def open(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._content)


class Producer:
    """Counts sources; `left` publications of items are acknowledged, then none."""

    def __init__(self, left: int = 1_000) -> None:
        self.sources: Counter[str] = Counter()
        self.withdrawn: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.left = left

    async def publish(self, topic: Topic, items: Iterable[Any], _: str) -> dict[int, int]:
        if topic is Topic.QUARANTINE:
            self.refused.update(item.source for item in items)
            return {0: self.refused.total()} if self.refused else {}
        if self.left == 0:
            raise PublishError("away")
        self.left -= 1
        for item in items:
            (self.withdrawn if item.withdrawn else self.sources)[item.source] += 1
        return {4: self.sources.total()}


class Journal:
    def __init__(self, stop_after: int = 1_000) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.published: Published = {}
        self.seen: Counts | None = None
        self.summary: UploadSummary | None = None
        self.is_complete = False
        self._left = stop_after

    async def publishing(self) -> None:
        if self._left == 0:
            raise StoppedError
        self._left -= 1

    async def reached(self, checkpoint: Checkpoint, published: Published) -> None:
        self.checkpoints.append(checkpoint)
        self.published = published

    async def held(self, seen: Counts, warnings: list[str], published: Published) -> None:
        self.seen = seen
        self.published = published

    async def completed(self, checkpoint: Checkpoint, published: Published, summary: UploadSummary | None) -> Upload:
        await self.reached(checkpoint, published)
        self.summary = summary
        self.is_complete = True
        return job().upload


def job(*, is_small: bool = False, is_decided: bool = False, checkpoint: Checkpoint | None = None) -> Job:
    moment = datetime(2026, 3, 11, tzinfo=UTC)
    upload = Upload(
        upload_id="u", file_name="day.csv", kind="appearances", status="processing", phase="parsing", sha256="00",
        timezone="UTC", rows_total=0, rows_accepted=0, rows_rejected=0, rejects_by_reason={}, reject_share=0,
        bytes_done=0, bytes_total=0, created_at=moment, completed_at=None, uploaded_by="o@example.com",
    )  # fmt: skip
    return Job(upload, 1, is_small, is_decided, in_kafka=False, checkpoint=checkpoint, published={})


async def withdraw(
    what: Job, store: RawStore, producer: EventProducer, settings: GatewaySettings, journal: Journal
) -> Upload | None:
    async def no_fixes() -> AsyncIterator[Sequence[Fix]]:
        for fixes in list[list[Fix]]():
            yield fixes

    return await withdraw_file(what, store, producer, settings, journal, no_fixes())


async def run(
    text: str,
    what: Job,
    journal: Journal,
    producer: Producer | None = None,
    work: Any = pipeline.import_file,
    pack: Callable[[bytes], bytes] = bytes,
    header: str = HEADER,
) -> Producer:
    producer = producer or Producer()
    store, given = cast(RawStore, Store(pack((header + text).encode()))), cast(EventProducer, producer)
    await work(what, store, given, GatewaySettings(), journal)
    return producer


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*arguments: Any, **named: Any) -> Any:
        return read_appearances(*arguments, **{"chunk_rows": CHUNK_ROWS, **named})

    monkeypatch.setattr(pipeline, "read_appearances", read)


def counted(counts: Counts | None) -> tuple[int, int]:
    assert counts is not None
    return counts.accepted, counts.rejected


def test_a_file_is_looked_into_as_far_as_its_beginning_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "INSPECTED_BYTES", 2 << 20)
    file = io.BytesIO((HEADER + "\n" * (8 << 20) + row(1)).encode())
    moment = datetime(2026, 3, 11, tzinfo=UTC)
    assert pipeline.inspect(file, "day.csv", "UTC", moment, GatewaySettings()).format == "csv"
    assert file.tell() < 4 << 20
    file.seek(0)
    with pytest.raises(FileTooLargeError):
        pipeline.inspect(file, "day.csv", "UTC", moment, GatewaySettings(max_unpacked_bytes=1 << 20))


async def test_a_large_file_is_published_chunk_by_chunk_with_a_checkpoint_behind_each() -> None:
    journal = Journal()
    producer = await run(good(25), job(), journal)
    assert [counted(reached.counts) for reached in journal.checkpoints] == [(10, 0), (20, 0), (25, 0), (25, 0)]
    assert [reached.row for reached in journal.checkpoints] == [11, 21, 26, 26]
    assert journal.published == {Topic.APPEARANCES: {4: 25}}
    assert set(producer.sources.values()) == {1}
    assert journal.summary is not None
    assert journal.summary.visitors == 25


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("chunks", [1, 2, 3])
async def test_going_on_behind_a_checkpoint_gives_what_going_through_gives(
    chunks: int, pack: Callable[[bytes], bytes]
) -> None:
    text = good(5) + bad(1) + good(20, 5) + bad(1) + good(8, 25)
    whole = Journal()
    everything = await run(text, job(is_decided=True), whole, pack=pack)

    broken, producer = Journal(), Producer(left=chunks)
    with pytest.raises(PublishError):
        await run(text, job(is_decided=True), broken, producer, pack=pack)
    assert len(broken.checkpoints) == chunks
    producer.left, resumed = 1_000, Journal()
    await run(text, job(is_decided=True, checkpoint=broken.checkpoints[-1]), resumed, producer, pack=pack)
    assert (broken.checkpoints[-1].place is None) == (pack is gzip.compress)
    assert resumed.checkpoints[-1].counts == whole.checkpoints[-1].counts
    assert producer.sources == everything.sources
    assert resumed.summary == whole.summary
    assert resumed.checkpoints[-1].warnings == whole.checkpoints[-1].warnings


async def test_rows_of_recorded_video_are_told_of_once_it_is_known_how_many_there_are() -> None:
    header = HEADER.strip() + ",analysis_mode\n"
    rows = [row(number).strip() + (",forensics\n" if number % 3 else ",live\n") for number in range(30)]
    told = "20 rows are of recorded video (forensic), which is kept apart from live figures: it counts as accepted and "
    whole, broken, resumed, producer = Journal(), Journal(), Journal(), Producer(left=3)
    text = header + "".join(rows)
    await run(text, job(is_small=True), whole, header="")
    assert whole.checkpoints[-1].warnings == [f"{told}shows in no chart"]
    with pytest.raises(PublishError):
        await run(text, job(), broken, producer, header="")
    assert broken.checkpoints[-1].warnings == []
    producer.left = 1_000
    await run(text, job(checkpoint=broken.checkpoints[-1]), resumed, producer, header="")
    assert resumed.checkpoints[-1].warnings == whole.checkpoints[-1].warnings


@pytest.mark.parametrize("checkpoint", [None, Checkpoint(Counts(10), row=11)])
async def test_a_large_file_lets_go_of_every_chunk_that_is_published(checkpoint: Checkpoint | None) -> None:
    def chunks() -> list[Chunk[Any]]:
        return [found for found in gc.get_objects() if isinstance(found, Chunk) and found.items]

    others = chunks()
    left: list[int] = []

    class Watching(Producer):
        async def publish(self, topic: Topic, items: Iterable[Any], source: str) -> dict[int, int]:
            given = list(items)
            if topic is not Topic.QUARANTINE:
                found = [chunk for chunk in chunks() if not any(chunk is other for other in others)]
                left.append(sum(pipeline._last_row(chunk) < pipeline._row_of(given[0]) for chunk in found))
            return await super().publish(topic, given, source)

    await run(good(60), job(checkpoint=checkpoint), Journal(), Watching())
    assert set(left) == {0}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_a_file_too_large_for_a_summary_is_told_to_be_so_once_however_often_it_is_taken_up(
    monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(pipeline, "MAX_SUMMARISED", 15)
    monkeypatch.setattr(summary, "MAX_SUMMARISED", 15)
    journal, producer = Journal(), Producer(left=2)
    with pytest.raises(PublishError):
        await run(good(30), job(), journal, producer, pack=pack)
    producer.left = 1_000
    for _ in range(2):
        await run(good(30), job(checkpoint=journal.checkpoints[-1]), journal, producer, pack=pack)
    assert journal.summary is None
    assert ["no summary" in warning for warning in journal.checkpoints[-1].warnings] == [True]
    assert set(producer.sources.values()) == {1}


async def test_a_small_file_with_too_many_refusals_is_held_before_anything_is_published() -> None:
    journal = Journal()
    producer = await run(good(30) + bad(2), job(is_small=True), journal)
    assert (counted(journal.seen), journal.is_complete) == ((30, 2), False)
    assert (producer.sources.total(), len(producer.refused)) == (0, 2)
    assert journal.published == {Topic.QUARANTINE: {0: 2}}


async def test_a_share_at_the_limit_is_not_above_it() -> None:
    journal = Journal()
    await run(bad(1) + good(19), job(is_small=True), journal)
    assert journal.is_complete


async def test_a_small_file_is_decided_on_as_a_whole() -> None:
    journal = Journal()
    producer = await run(bad(2) + good(50), job(is_small=True), journal)
    assert (counted(journal.checkpoints[-1].counts), producer.sources.total()) == ((50, 2), 50)


async def test_a_large_file_is_held_at_the_chunk_that_brings_the_share_above_the_limit() -> None:
    journal = Journal()
    producer = await run(good(20) + bad(5) + good(50), job(), journal)
    assert (counted(journal.seen), producer.sources.total()) == ((25, 5), 20)

    decided = Journal()
    await run(good(20) + bad(5) + good(50), job(is_decided=True, checkpoint=journal.checkpoints[-1]), decided, producer)
    assert counted(decided.checkpoints[-1].counts) == (70, 5)
    assert set(producer.sources.values()) == {1}


async def test_a_large_file_that_begins_badly_is_held_at_once() -> None:
    journal = Journal()
    producer = await run(bad(2) + good(100), job(), journal)
    assert (counted(journal.seen), producer.sources.total(), journal.checkpoints) == ((8, 2), 0, [])


async def test_an_upload_that_is_stopped_publishes_no_further_chunk() -> None:
    journal, producer = Journal(stop_after=2), Producer()
    with pytest.raises(StoppedError):
        await run(good(100), job(), journal, producer)
    assert (producer.sources.total(), len(journal.checkpoints)) == (20, 2)


@pytest.mark.parametrize("left", [1, 2, 1_000])
async def test_a_withdrawal_publishes_what_the_import_did_and_goes_on_where_it_was(left: int) -> None:
    text = good(5) + bad(1) + good(20, 5)
    producer = await run(text, job(is_decided=True), Journal())
    refused = producer.refused.copy()

    producer.left, broken = left, Journal()
    with nullcontext() if left > 3 else pytest.raises(PublishError):
        await run(text, job(), broken, producer, withdraw)
    producer.left, journal = 1_000, Journal()
    await run(text, job(checkpoint=broken.checkpoints[-1]), journal, producer, withdraw)
    assert (producer.withdrawn, producer.refused) == (producer.sources, refused)
    assert journal.is_complete
