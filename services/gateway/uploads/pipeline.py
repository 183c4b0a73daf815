"""A stored file → events in Kafka, refusals in quarantine, counts and a summary. The one way for small and large."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from services.common.corsight.chunks import Chunk, ReadLimits
from services.common.corsight.csv import read_appearances
from services.common.corsight.files import HEAD_BYTES, FileKind, detect_kind
from services.common.corsight.insight_report import read_insights
from services.common.failpoints import failpoint
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import refuse
from services.common.topics import Topic
from services.gateway.models import Upload, UploadSummary
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.progress import Counts
from services.gateway.uploads.store import RawStore
from services.gateway.uploads.summary import MAX_SUMMARISED, SummaryBuilder


@dataclass(frozen=True, slots=True)
class Outcome:
    summary: UploadSummary | None
    warnings: list[str]


def inspect(file: BinaryIO, file_name: str, zone: str, now: datetime, settings: GatewaySettings) -> FileKind:
    """What the file is, from its first rows. Raises `FileError` where it cannot be taken at all."""
    kind = detect_kind(file.read(HEAD_BYTES), file_name)
    file.seek(0)
    _chunks(file, kind.kind, "upload:inspected", ZoneInfo(zone), now, settings)
    return kind


async def run_pipeline(
    upload: Upload,
    store: RawStore,
    producer: EventProducer,
    settings: GatewaySettings,
    report: Callable[[Counts], Awaitable[None]],
) -> Outcome:
    """Publish everything the file holds, and report the counts after each chunk that Kafka has acknowledged.

    The present time of the file's rules is that of the upload, so that a repetition decides every row alike.
    Raises `FileError` for the file as a whole, `FileNotFoundError` where the store has it no more, and `PublishError`
    where Kafka does not acknowledge.
    """
    source = f"upload:{upload.upload_id}"
    zone = ZoneInfo(upload.timezone)
    assert upload.kind is not None
    topic, add = Topic.APPEARANCES, "add_appearances"
    if upload.kind == "insights":
        topic, add = Topic.INSIGHTS, "add_insights"
    summary = SummaryBuilder(zone, settings.gap_seconds)
    counts = Counts()
    warnings: list[str] = []

    with await asyncio.to_thread(store.open, upload.sha256) as file:
        chunks = await asyncio.to_thread(_chunks, file, upload.kind, source, zone, upload.created_at, settings)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            refused = [
                refuse(reject.source, reject.reason_code, reject.reason, reject.raw, reject.camera_id)
                for reject in chunk.rejects
            ]
            await producer.publish(topic, chunk.items, source)
            await producer.publish(Topic.QUARANTINE, refused, source)
            failpoint("gateway.after_publish")
            await asyncio.to_thread(getattr(summary, add), chunk.items)
            _count(counts, chunk)
            warnings += chunk.warnings
            await report(counts)

    if summary.is_full:
        warnings.append(f"no summary: the file holds more than {MAX_SUMMARISED:,} items")
    return Outcome(await asyncio.to_thread(summary.build), warnings)


def _chunks(
    file: BinaryIO, kind: str, source: str, zone: ZoneInfo, now: datetime, settings: GatewaySettings
) -> Iterator[Chunk[Any]]:
    limits = ReadLimits(
        max_bytes=settings.max_unpacked_bytes,
        max_dwell_seconds=settings.implausible_dwell_hours * 3_600,
        max_ahead_seconds=settings.future_minutes * 60,
    )
    read = read_insights if kind == "insights" else read_appearances
    chunks: Iterator[Chunk[Any]] = read(file, source_prefix=source, now=now, zone=zone, limits=limits)
    # A file that cannot be taken may show only when its first chunk is read.
    first = next(chunks, None)
    return chain([] if first is None else [first], chunks)


def _count(counts: Counts, chunk: Chunk[Any]) -> None:
    counts.accepted += len(chunk.items)
    counts.rejected += len(chunk.rejects)
    for reject in chunk.rejects:
        counts.by_reason[reject.reason_code] = counts.by_reason.get(reject.reason_code, 0) + 1
    counts.bytes_done = chunk.bytes_consumed
