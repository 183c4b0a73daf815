"""The news from Kafka: every process reads every partition for itself, so each can serve any client."""

import asyncio
from collections.abc import Mapping, Sequence
from heapq import merge
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.common.health import Health
from services.common.kafka.envelopes import decode
from services.common.kafka.fetching import FETCH_WAIT_MS
from services.common.logging import get_logger
from services.common.metrics import CONSUMED, LAG
from services.common.patience import patiently
from services.common.topics import PARTITIONS, Topic
from services.notifier.domain.cursor import Cursor
from services.notifier.domain.fanout import Entry
from services.notifier.epoch import topic_id
from services.notifier.hub import Hub
from services.notifier.settings import NotifierSettings

log = get_logger(__name__)

ALERTS = [TopicPartition(Topic.ALERTS, number) for number in range(PARTITIONS)]
CAMERAS = [TopicPartition(Topic.CAMERAS, number) for number in range(PARTITIONS)]

CAMERA_RECORDS = 500
"""Read back per partition at start. Every camera known is told of again within seconds, so older ones need not be."""

POLL_RECORDS = 500
READ_BACK_AT_ONCE = 4
"""Readers of the past at a time; a restart of the notifier brings everybody back at once."""

READ_BACK_SECONDS = 10.0

Polled = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class Consumer:
    def __init__(self, settings: NotifierSettings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._kafka: AIOKafkaConsumer | None = None

    async def run(self) -> None:
        settings = self._settings
        epoch = await patiently(
            "Kafka",
            lambda: topic_id(settings.kafka_bootstrap, Topic.ALERTS),
            (OSError, KafkaError),
            settings.notifier_retry_seconds,
        )
        kafka = _create_consumer(settings)
        await kafka.start()
        try:
            kafka.assign([*ALERTS, *CAMERAS])
            head = await self._open(kafka, epoch)
            self._kafka = kafka
            while True:
                polled = await kafka.getmany(timeout_ms=1000, max_records=POLL_RECORDS)
                head = self._handle(polled, head)
        finally:
            await kafka.stop()

    async def check(self) -> Health:
        """Asks the broker for the ends of the log: a consumer that hears nothing cannot tell silence from an outage."""
        if self._kafka is None:
            return Health(ok=False, detail={"error": "not caught up yet"})
        ends = await self._kafka.end_offsets(ALERTS)
        lag = sum(max(0, ends[each] - at) for each, at in zip(ALERTS, self._hub.head.offsets, strict=True))
        LAG.labels(Topic.ALERTS).set(lag)
        return Health(ok=lag <= self._settings.lag_limit, detail={"lag_records": lag})

    async def _open(self, kafka: AIOKafkaConsumer, epoch: str) -> Cursor:
        """Read the recent past, so that clients of an earlier process are served from memory."""
        first, ends = await kafka.beginning_offsets([*ALERTS, *CAMERAS]), await kafka.end_offsets([*ALERTS, *CAMERAS])
        back = dict.fromkeys(ALERTS, self._settings.notifier_recent_alerts // PARTITIONS)
        back |= dict.fromkeys(CAMERAS, CAMERA_RECORDS)
        starts = {each: max(first[each], ends[each] - back[each]) for each in back}
        for partition, offset in starts.items():
            kafka.seek(partition, offset)
        past: list[Entry] = []
        cursor = start = Cursor(epoch, tuple(starts[each] for each in ALERTS))
        while any([await kafka.position(each) < ends[each] for each in ends]):
            polled = await kafka.getmany(timeout_ms=200, max_records=POLL_RECORDS)
            entries, cursor = _read_alerts(polled, cursor)
            past += entries
            self._learn(polled)
        self._hub.open(start, past, cursor)
        log.info("caught up", alerts=sum(len(entry.alerts) for entry in past))
        return cursor

    def _handle(self, polled: Polled, head: Cursor) -> Cursor:
        self._learn(polled)
        entries, after = _read_alerts(polled, head)
        if after != head:
            self._hub.publish(entries, after)
            CONSUMED.labels(Topic.ALERTS).inc(sum(len(entry.alerts) for entry in entries))
        return after

    def _learn(self, polled: Polled) -> None:
        for partition in CAMERAS:
            for record in polled.get(partition, ()):
                for camera in decode(Topic.CAMERAS, record.value).items:
                    self._hub.learn(camera)


class HistoryError(Exception):
    """The log cannot be read now."""


class History:
    """The log itself, for clients that were away for longer than memory reaches."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Semaphore(READ_BACK_AT_ONCE)

    async def between(self, start: Cursor, end: Cursor) -> list[Entry] | None:
        """The entries of the log between the cursors; None when there are too many, or some are gone already.

        Raises `HistoryError`.
        """
        wanted = {
            each: span for each, *span in zip(ALERTS, start.offsets, end.offsets, strict=True) if span[0] < span[1]
        }
        if sum(last - first for first, last in wanted.values()) > self._settings.notifier_replay_records:
            return None
        async with self._turn:
            kafka = _create_consumer(self._settings)
            try:
                async with asyncio.timeout(READ_BACK_SECONDS):
                    await kafka.start()
                    return await _read_between(kafka, wanted)
            except (KafkaError, TimeoutError) as error:
                raise HistoryError(str(error)) from error
            finally:
                await kafka.stop()


async def _read_between(kafka: AIOKafkaConsumer, wanted: dict[TopicPartition, list[int]]) -> list[Entry] | None:
    held = await kafka.beginning_offsets(wanted)
    if any(first < held[each] for each, (first, _) in wanted.items()):
        return None
    kafka.assign(list(wanted))
    for each, (first, _) in wanted.items():
        kafka.seek(each, first)
    records: dict[TopicPartition, list[Any]] = {each: [] for each in wanted}
    while any([await kafka.position(each) < last for each, (_, last) in wanted.items()]):
        for each, more in (await kafka.getmany(timeout_ms=200, max_records=POLL_RECORDS)).items():
            records[each] += [record for record in more if record.offset < wanted[each][1]]
    in_order = merge(*records.values(), key=lambda record: record.timestamp)
    return [entry for record in in_order if (entry := _entry_of(record)).alerts]


def _create_consumer(settings: NotifierSettings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id="dwell-notifier",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=256 * 1024,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )


def _read_alerts(polled: Polled, cursor: Cursor) -> tuple[list[Entry], Cursor]:
    """What cannot be read here is skipped: the sink reads the same records and quarantines it."""
    records = [record for partition in ALERTS for record in polled.get(partition, ())]
    entries = [entry for record in records if (entry := _entry_of(record)).alerts]
    return entries, cursor.after((record.partition, record.offset) for record in records)


def _entry_of(record: ConsumerRecord) -> Entry:
    alerts = decode(Topic.ALERTS, record.value).items
    return Entry(record.partition, record.offset, tuple(alert for alert in alerts if alert.live))
