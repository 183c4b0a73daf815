"""The consume loop: poll, read, write, then tell Kafka. Where to read is PostgreSQL's word, never Kafka's."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from services.common.failpoints import failpoint
from services.common.health import Health
from services.common.kafka.groups import SINK
from services.common.logging import get_logger
from services.common.metrics import CONSUMED, HANDLE_SECONDS
from services.common.topics import PARTITIONS, TOPICS, Topic
from services.sink.activity import Activity
from services.sink.domain.batch import Batch, Held, Partition, reading
from services.sink.settings import SinkSettings
from services.sink.writer import FIRST_PAUSE_SECONDS, TROUBLE, FencedError, Writer

log = get_logger(__name__)

GROUP = SINK
FETCH_WAIT_MS = 50
"""A partition that rested is asked for only when the request under way is answered, which idle ones draw out."""

FETCH_MIN_BYTES = 64 * 1024
"""Live records are gathered for as long as a fetch waits: a transaction costs the same for one as for twenty."""

HELD_POLL_MS = 20
"""Instead of the usual wait while session records wait for their appearances."""

CONSUMED_TOPICS = tuple(spec.topic for spec in TOPICS if "sink" in spec.consumers)

POLL_RECORDS = 20
"""Taken at a time: a record of 500 items is some 200 KB, so a poll overshoots the batch's bytes by a few MB at most."""

FETCH_BYTES = 256 * 1024
"""Buffered per partition; there are about a hundred partitions. A larger record still comes, alone."""

Polled = dict[Partition, list[ConsumerRecord]]


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads the group's partitions and hands them to the writer, batch by batch, forever.

    A partition is read only once its position was taken from PostgreSQL. Whatever happens to the assignment or to the
    database, the position is forgotten and taken again; a batch that lost its partition meanwhile is dropped.

    While one batch is written the next is polled and read. It is written only if no partition was lost meanwhile and
    the write before it succeeded.

    Session records that came before the appearances that they are judged by are given back, and their partition rests
    until those are stored. Some were told in a former life of the log, or of repairs of repairs, and name appearances
    that do not come: all that sessions.v1 holds is let pass once the log of appearances is stored to its end.
    """

    def __init__(self, settings: SinkSettings, writer: Writer, tell: Callable[[], None]) -> None:
        self._settings = settings
        self._writer = writer
        self._tell = tell
        self._max_dwell = timedelta(hours=settings.implausible_dwell_hours)
        self._expected: dict[Partition, int] = {}
        self._read: dict[Partition, int] = {}
        """Of the log as it is now: where it was made anew, `_expected` is the offset in the former one at first."""
        self._losses = 0
        self._writing: asyncio.Task[None] | None = None
        self._under_way: dict[Partition, int] = {}
        self._held: dict[int, Held] = {}
        self._let_pass: dict[int, int] = {}
        self._trouble: str | None = None
        self.activity = Activity()
        self._kafka = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap,
            client_id=GROUP,
            group_id=GROUP,
            group_instance_id=settings.instance_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_min_bytes=FETCH_MIN_BYTES,
            # Partitions of one number go to one process, which then knows of its sessions' appearances by itself.
            partition_assignment_strategy=(RangePartitionAssignor,),
        )

    async def run(self) -> None:
        self._kafka.subscribe(CONSUMED_TOPICS, listener=self)
        await self._kafka.start()
        pause = FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._step()
                    if not self._trouble:
                        pause = FIRST_PAUSE_SECONDS
                except FencedError as error:
                    log.warning("another sink wrote this part of the log", found=str(error))
                    self._forget(list(self._expected))
                except TROUBLE as error:
                    self._trouble = f"{type(error).__name__}: {error}"
                    self.activity.attempts += 1
                    log.error("cannot write, will try again", reason=self._trouble, pause_seconds=pause)
                    self._forget(list(self._expected))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, self._settings.sink_retry_seconds)
        finally:
            if self._writing:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
            await self._kafka.stop()

    async def check(self) -> Health:
        if self._trouble:
            return Health(ok=False, detail={"error": self._trouble})
        return Health(ok=True, detail={"partitions": len(self._expected)})

    def partitions_to_read(self) -> set[TopicPartition]:
        """Those that this process has, without those that rest."""
        return {*self._kafka.assignment()} - {TopicPartition(Topic.SESSIONS, number) for number in self._held}

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._forget(revoked)

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._forget(assigned)

    def _forget(self, partitions: Iterable[Partition]) -> None:
        self._losses += 1
        for topic, number in partitions:
            self._expected.pop((topic, number), None)
            self._read.pop((topic, number), None)
            if topic == Topic.SESSIONS:
                self._held.pop(number, None)
                self._let_pass.pop(number, None)

    async def _step(self) -> None:
        if self._held:
            await self._release()
        if self._kafka.assignment() - self._expected.keys():
            await self._written()
            await self._position(self._kafka.assignment() - self._expected.keys())
        losses = self._losses
        polled = await self._poll()
        owned = {partition: records for partition, records in polled.items() if partition in self._expected}
        batch = Batch()
        for place in reading(batch, owned, self._max_dwell, self._appearances_offsets(), self._let_pass):
            self.activity.records[place] += 1
            await asyncio.sleep(0)  # the write that is under way may have to go on
        await self._written()
        if self._losses != losses:
            # Some of it is somebody else's by now, or was taken back to another position.
            self._forget(owned)
            return
        for number, held in batch.held.items():
            self._hold(number, held)
        if batch.following:
            self._under_way = batch.following
            expected = {partition: self._expected[partition] for partition in batch.following}
            self._writing = asyncio.create_task(self._handle(batch, expected))
        else:
            self._trouble = None

    async def _written(self) -> None:
        """Wait for the write that is under way; raises what it raised."""
        writing, self._writing, self._under_way = self._writing, None, {}
        if writing:
            try:
                await writing
            finally:
                # Else a task that failed, its error and this frame hold each other, and the batch, for as long as the
                # collector of garbage takes: gigabytes while a server is away.
                del writing
            self._trouble = None

    def _appearances_offsets(self) -> dict[int, int]:
        known = {**self._read, **self._under_way}
        return {number: known.get((Topic.APPEARANCES, number), 0) for number in range(PARTITIONS)}

    def _hold(self, number: int, held: Held) -> None:
        partition = TopicPartition(Topic.SESSIONS, number)
        if partition in self._kafka.assignment():
            self._kafka.seek(partition, held.offset)
            self._kafka.pause(partition)
            self._held[number] = held

    async def _release(self) -> None:
        """Let the partitions of sessions go on whose appearances are known by now, or will never come."""
        known = self._appearances_offsets()
        for number, held in list(self._held.items()):
            if held.appearances_offset <= known[number]:
                self._let_go(number)
        if not self._held:
            return
        sessions = [TopicPartition(Topic.SESSIONS, number) for number in self._held]
        appearances = [TopicPartition(Topic.APPEARANCES, number) for number in self._held]
        # What sessions.v1 holds was told of appearances before the end that their log is found to have after it.
        told = await self._kafka.end_offsets(sessions)
        first = await self._kafka.beginning_offsets(appearances)
        last = await self._kafka.end_offsets(appearances)
        with self.activity.asking():
            stored = await self._writer.stored_offsets(appearances)
        for partition in appearances:
            number = partition.partition
            if number not in self._held:
                continue
            place = _place(stored.get(partition, 0), first[partition], last[partition])
            if place >= last[partition]:
                self._let_pass[number] = told[TopicPartition(Topic.SESSIONS, number)]
            if place >= min(last[partition], self._held[number].appearances_offset):
                self._let_go(number)

    def _let_go(self, number: int) -> None:
        del self._held[number]
        self._resume(TopicPartition(Topic.SESSIONS, number))

    def _resume(self, partition: TopicPartition) -> None:
        if partition in self._kafka.assignment():
            self._kafka.resume(partition)

    async def _position(self, partitions: set[TopicPartition]) -> None:
        """Take up reading where the database says."""
        places: dict[Partition, int] = {}
        with self.activity.asking():
            stored = await self._writer.offsets(partitions)
        first = await self._kafka.beginning_offsets(partitions)
        last = await self._kafka.end_offsets(partitions)
        for partition in partitions & self._kafka.assignment():
            place = places[partition] = _place(stored[partition], first[partition], last[partition])
            if stored[partition] and place != stored[partition]:
                log.error(
                    "the log does not hold the offset to go on from; reading what it holds",
                    topic=partition.topic,
                    partition=partition.partition,
                    next_offset=stored[partition],
                    first=first[partition],
                    last=last[partition],
                )
            self._kafka.seek(partition, place)
            self._kafka.resume(partition)
            self._expected[partition] = stored[partition]
            self._read[partition] = place
        # What was repaired may be untold: by who had them before and ended, or by a write whose answer was lost.
        self._tell()
        # A commit may have failed, and a database may be another one, or an older one, than the group last wrote to.
        await self._commit(places)

    async def _poll(self) -> Polled:
        """Records up to the batch's bounds; waits only for the first."""
        polled: Polled = {}
        count = size = 0
        wait_ms = HELD_POLL_MS if self._held else int(self._settings.sink_poll_seconds * 1000)
        while count < self._settings.sink_batch_records and size < self._settings.sink_batch_bytes:
            more = await self._kafka.getmany(timeout_ms=wait_ms, max_records=POLL_RECORDS)
            if not more:
                break
            for partition, records in more.items():
                polled.setdefault(partition, []).extend(records)
                count += len(records)
                size += sum(len(record.value or b"") for record in records)
            wait_ms = 0
        return polled

    async def _handle(self, batch: Batch, expected: dict[Partition, int]) -> None:
        started = time.perf_counter()
        with self.activity.asking():
            written = await self._writer.write(batch, expected)
        failpoint("sink.after_commit")
        # A partition that was revoked while the transaction ran stays out: its next owner takes the position anew.
        kept = {partition: offset for partition, offset in batch.following.items() if partition in self._expected}
        self._expected.update(kept)
        self._read.update(kept)
        for topic, items in batch.items.items():
            CONSUMED.labels(topic).inc(len(items))
        HANDLE_SECONDS.labels("all").observe(time.perf_counter() - started)
        if written.quarantined:
            log.warning("items quarantined", count=len(written.quarantined))
        if written.repaired:
            log.info("sessions repaired", count=written.repaired)
            self._tell()
        await self._commit(kept)

    async def _commit(self, offsets: dict[Partition, int]) -> None:
        """For those who look at the group's lag; nothing is ever read from there."""
        if not offsets:
            return
        try:
            await self._kafka.commit({TopicPartition(*partition): offset for partition, offset in offsets.items()})
        except KafkaError as error:
            log.info("offsets not told to Kafka", reason=str(error))


def _place(stored: int, first: int, last: int) -> int:
    """Where to go on reading, given what PostgreSQL holds and what the log does."""
    return stored if first <= stored <= last else first
