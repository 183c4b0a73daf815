"""A stored file → events in Kafka, refusals in quarantine, counts and a summary. The one way for small and large."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

from msgspec import structs

from services.common.corsight.chunks import Chunk, Place, ReadLimits, put_back
from services.common.corsight.csv import read_appearances
from services.common.corsight.files import HEAD_BYTES, FileKind, FileTooLargeError, detect_kind
from services.common.corsight.insight_report import read_insights
from services.common.events.quarantine import Quarantined
from services.common.failpoints import failpoint
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import refuse
from services.common.lanes import by_lane, lane_of, recorded_warning
from services.common.topics import Topic
from services.gateway.models import Upload, UploadSummary
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.job import Checkpoint, Counts, Job, Published
from services.gateway.uploads.store import RawStore
from services.gateway.uploads.summary import MAX_SUMMARISED, SummaryBuilder

INSPECTED_ROWS = 100
"""Enough for whatever refuses a file as a whole; all of them are read again."""

INSPECTED_BYTES = 4 << 20
"""Of the text. Where they hold fewer rows the worker will find out; as blank lines they take half a second."""

_NO_SUMMARY = f"no summary: the file holds more than {MAX_SUMMARISED:,} items"


class Journal(Protocol):
    """Where the pipeline writes down how far it is; each may raise `StoppedError`."""

    async def publishing(self) -> None:
        """Something is about to be published."""

    async def reached(self, checkpoint: Checkpoint, published: Published) -> None:
        """Kafka has everything up to the checkpoint, and more will come."""

    async def held(self, seen: Counts, warnings: list[str], published: Published) -> Upload | None:
        """Too much is refused: nothing more is published without a decision."""

    async def completed(self, checkpoint: Checkpoint, published: Published, summary: UploadSummary | None) -> Upload:
        """Kafka has everything."""


def inspect(file: BinaryIO, file_name: str, zone: str, now: datetime, settings: GatewaySettings) -> FileKind:
    """What the file is, from its first rows. Raises `FileError` where it cannot be taken at all."""
    kind = detect_kind(file.read(HEAD_BYTES), file_name)
    file.seek(0)
    limits = settings.read_limits
    try:
        few = replace(limits, max_bytes=min(limits.max_bytes, INSPECTED_BYTES))
        _read(file, kind.kind, "upload:inspected", ZoneInfo(zone), now, few, chunk_rows=INSPECTED_ROWS)
    except FileTooLargeError:
        if limits.max_bytes <= INSPECTED_BYTES:
            raise
    return kind


async def import_file(
    job: Job, store: RawStore, producer: EventProducer, settings: GatewaySettings, journal: Journal
) -> Upload | None:
    """Publish what the file holds behind the job's checkpoint, chunk by chunk; a small file once all of it was read.

    The present time of the file's rules is that of the upload, so that a repetition decides every row alike.
    Raises `FileError` for the file as a whole, `FileNotFoundError` where the store has it no more, and `PublishError`
    where Kafka does not acknowledge.
    """
    is_resumed = job.checkpoint is not None
    reached = job.checkpoint or Checkpoint(Counts())
    published = job.published
    at = job.upload.created_at
    summary = SummaryBuilder(ZoneInfo(job.upload.timezone), settings.gap_seconds)
    if reached.place is not None and reached.counts.accepted > MAX_SUMMARISED:
        summary.give_up()
    add = summary.add_insights if job.topic is Topic.INSIGHTS else summary.add_appearances

    async with portions_behind(job, store, settings, None if summary.is_full else add) as portions:
        async for portion in portions:
            counts, warnings = _counted(reached.counts, portion), list(reached.warnings)
            for chunk in portion:
                warnings += [] if is_resumed else chunk.warnings
                refused = await asyncio.to_thread(_refusals, chunk, at)
                behind = await producer.publish(Topic.QUARANTINE, refused, job.source)
                published = _with(published, Topic.QUARANTINE, behind)
            if counts.reject_share > settings.upload_reject_limit and not job.is_decided:
                return await journal.held(counts, warnings, published)
            await journal.publishing()
            for chunk in portion:
                published = await publish_items(job, chunk.items, producer, published)
                await asyncio.to_thread(add, chunk.items)
            reached = checkpoint_behind(portion[-1], counts, warnings)
            if not job.is_small:
                await journal.reached(reached, published)

    in_the_end = [recorded_warning(reached.counts.recorded)] if reached.counts.recorded else []
    in_the_end += [_NO_SUMMARY] if summary.is_full else []
    reached.warnings += [warning for warning in in_the_end if warning not in reached.warnings]
    return await journal.completed(reached, published, await asyncio.to_thread(summary.build))


@asynccontextmanager
async def portions_behind(
    job: Job, store: RawStore, settings: GatewaySettings, passed: Callable[[list[Any]], None] | None = None
) -> AsyncIterator[AsyncIterator[list[Chunk[Any]]]]:
    """What of the file lies behind the checkpoint, in portions to decide on and to publish.

    `passed` is given the items before it; without that the file is entered there, where it can be.
    """
    upload = job.upload
    with await asyncio.to_thread(store.open, upload.sha256) as file:
        reached = job.checkpoint or Checkpoint(Counts())
        place = None if passed else reached.place
        zone, now = ZoneInfo(upload.timezone), upload.created_at
        chunks = await asyncio.to_thread(_read, file, upload.kind, job.source, zone, now, settings.read_limits, place)
        if reached.row and place is None:
            chunks = await asyncio.to_thread(_behind, chunks, reached.row, passed or (lambda _: None))
        async with aclosing(_whole(chunks) if job.is_small else _one_by_one(chunks)) as portions:
            yield portions


def _read(
    file: BinaryIO,
    kind: str | None,
    source: str,
    zone: ZoneInfo,
    now: datetime,
    limits: ReadLimits,
    behind: Place | None = None,
    **size: int,
) -> Iterator[Chunk[Any]]:
    read: Callable[..., Iterator[Chunk[Any]]] = read_insights
    if kind != "insights":
        read = partial(read_appearances, behind=behind)
    chunks = read(file, source_prefix=source, now=now, zone=zone, limits=limits, **size)
    # A file that cannot be taken may show only when its first chunk is read.
    first = next(chunks, None)
    return chunks if first is None else put_back(first, chunks)


def _behind(chunks: Iterator[Chunk[Any]], row: int, passed: Callable[[list[Any]], None]) -> Iterator[Chunk[Any]]:
    for chunk in chunks:
        if _last_row(chunk) <= row:
            passed(chunk.items)
            continue
        passed([item for item in chunk.items if _row_of(item) <= row])
        chunk.items = [item for item in chunk.items if _row_of(item) > row]
        chunk.rejects = [reject for reject in chunk.rejects if reject.row > row]
        return put_back(chunk, chunks)
    return iter(())


def _refusals(chunk: Chunk[Any], at: datetime) -> list[Quarantined]:
    return [
        refuse(reject.source, reject.reason_code, reject.reason, reject.raw, reject.camera_id, at)
        for reject in chunk.rejects
    ]


def checkpoint_behind(chunk: Chunk[Any], counts: Counts, warnings: list[str]) -> Checkpoint:
    return Checkpoint(counts, _last_row(chunk), chunk.place, warnings)


def _last_row(chunk: Chunk[Any]) -> int:
    return max([_row_of(item) for item in chunk.items[-1:]] + [reject.row for reject in chunk.rejects[-1:]])


def _row_of(item: Any) -> int:
    return int(item.source.rpartition("#")[2])


async def _whole(chunks: Iterator[Chunk[Any]]) -> AsyncGenerator[list[Chunk[Any]], None]:
    if everything := await asyncio.to_thread(list, chunks):
        yield everything


async def _one_by_one(chunks: Iterator[Chunk[Any]]) -> AsyncGenerator[list[Chunk[Any]], None]:
    """The next is read while one is published."""
    ahead = asyncio.create_task(asyncio.to_thread(next, chunks, None))
    try:
        while (chunk := await ahead) is not None:
            ahead = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            yield [chunk]
    finally:
        # A thread cannot be stopped, and must not read a file that is closed.
        await asyncio.gather(ahead, return_exceptions=True)


def _counted(before: Counts, portion: list[Chunk[Any]]) -> Counts:
    counts = structs.replace(before, by_reason=dict(before.by_reason), bytes_done=portion[-1].bytes_consumed)
    for chunk in portion:
        counts.accepted += len(chunk.items)
        counts.recorded += sum(lane_of(item) is Topic.APPEARANCES_FORENSIC for item in chunk.items)
        counts.rejected += len(chunk.rejects)
        for reject in chunk.rejects:
            counts.by_reason[reject.reason_code] = counts.by_reason.get(reject.reason_code, 0) + 1
    return counts


async def publish_items(job: Job, items: list[Any], producer: EventProducer, published: Published) -> Published:
    """What is published then."""
    for topic, of_lane in by_lane(items).items():
        behind = await producer.publish(topic, of_lane, job.source)
        published = _with(published, topic, behind)
    failpoint("gateway.after_publish")
    return published


def _with(published: Published, topic: Topic, behind: dict[int, int]) -> Published:
    return {**published, topic: {**published.get(topic, {}), **behind}} if behind else published
