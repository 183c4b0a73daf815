"""The sink's consume loop around a rebalance."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Collection, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.common.topics import Topic
from services.sink.activity import SLOW_SECONDS
from services.sink.consumer import Consumer
from services.sink.domain.batch import Batch, Held, Partition
from services.sink.settings import SinkSettings
from services.sink.writer import Writer, Written
from tests.support.kafka import Record

OWNED = (Topic.ALERTS, 3)


class RevokedMeanwhile(Writer):
    """Its transaction takes so long that the partitions have another owner when it is through."""

    def __init__(self) -> None:
        self.consumer: Consumer | None = None

    async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> Written:
        assert self.consumer is not None
        self.consumer.on_partitions_revoked([OWNED])
        return Written([], 0)


async def test_a_batch_that_lost_all_its_partitions_meanwhile_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RevokedMeanwhile()
    writer.consumer = consumer = Consumer(SinkSettings(), writer, lambda: None)
    told: list[object] = []

    async def commit(offsets: object) -> None:
        # As aiokafka's own, which does not take an empty set for nothing to do.
        if not offsets:
            raise ValueError(offsets)
        told.append(offsets)

    monkeypatch.setattr(consumer._kafka, "commit", commit)
    monkeypatch.setattr(consumer, "_expected", {OWNED: 7})
    await consumer._handle(Batch(following={OWNED: 8}), {OWNED: 7})
    assert told == []
    assert (await consumer.check()).detail == {"partitions": 0}


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "kept"])
async def test_what_was_polled_is_written_only_if_no_partition_was_lost_meanwhile(
    monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    written: list[Mapping[Partition, int]] = []

    class Recording(Writer):
        def __init__(self) -> None:
            pass

        async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> Written:
            written.append(expected)
            return Written([], 0)

    consumer = Consumer(SinkSettings(), Recording(), lambda: None)

    async def poll() -> dict[Partition, list[Record]]:
        if lost:
            consumer.on_partitions_revoked([OWNED])
            consumer._expected[OWNED] = 5
        return {OWNED: [Record(3, 7, b"c1", b"unreadable")]}

    async def commit(offsets: object) -> None:
        pass

    monkeypatch.setattr(consumer._kafka, "assignment", lambda: {OWNED})
    monkeypatch.setattr(consumer._kafka, "commit", commit)
    monkeypatch.setattr(consumer, "_poll", poll)
    monkeypatch.setattr(consumer, "_expected", {OWNED: 7})
    await consumer._step()
    await consumer._written()
    assert written == ([] if lost else [{OWNED: 7}])
    assert consumer._expected == ({} if lost else {OWNED: 8})


async def test_with_a_partition_goes_the_telling_of_what_was_repaired_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Waiting(Writer):
        """Until the last transaction of whoever had the partitions is over."""

        def __init__(self) -> None:
            pass

        async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
            told.clear()
            return dict.fromkeys(partitions, 7)

    told: list[str] = []
    consumer = Consumer(SinkSettings(), Waiting(), lambda: told.append("told"))
    owned = TopicPartition(*OWNED)

    async def commit(_: object) -> None:
        pass

    async def offsets(partitions: object) -> dict[TopicPartition, int]:
        return {owned: 7}

    monkeypatch.setattr(
        consumer,
        "_kafka",
        SimpleNamespace(
            assignment=lambda: {owned},
            beginning_offsets=offsets,
            end_offsets=offsets,
            seek=lambda *_: None,
            resume=lambda _: None,
            commit=commit,
        ),
    )
    await consumer._position({owned})
    assert consumer._expected == {OWNED: 7}
    assert told == ["told"]


async def test_sessions_go_on_once_their_appearances_are_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer(SinkSettings(), Writer.__new__(Writer), lambda: None)
    resumed: list[TopicPartition] = []
    monkeypatch.setattr(consumer._kafka, "assignment", lambda: {TopicPartition(Topic.SESSIONS, 3)})
    monkeypatch.setattr(consumer._kafka, "resume", resumed.append)
    monkeypatch.setattr(consumer, "_held", {3: Held(20, 8)})
    monkeypatch.setattr(consumer, "_read", {(Topic.APPEARANCES, 3): 7})
    monkeypatch.setattr(consumer, "_under_way", {(Topic.APPEARANCES, 3): 8})
    await consumer._release()
    assert (consumer._held, resumed) == ({}, [TopicPartition(Topic.SESSIONS, 3)])


class TestAppearancesThatDoNotCome:
    """The log of appearances ends before those that a session record names."""

    class Logs:
        """Both logs begin at 0, that of sessions ends at 30."""

        def __init__(self, appearances_end: int) -> None:
            self.resumed: list[TopicPartition] = []
            self.sought: dict[TopicPartition, int] = {}
            self._appearances_end = appearances_end

        def assignment(self) -> set[TopicPartition]:
            return {TopicPartition(topic, 3) for topic in (Topic.APPEARANCES, Topic.SESSIONS)}

        async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 0)

        async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
            return {each: 30 if each.topic == Topic.SESSIONS else self._appearances_end for each in partitions}

        def seek(self, partition: TopicPartition, offset: int) -> None:
            self.sought[partition] = offset

        def resume(self, partition: TopicPartition) -> None:
            self.resumed.append(partition)

        async def commit(self, _: object) -> None:
            pass

    class Stored(Writer):
        def __init__(self, offset: int) -> None:
            self._offset = offset

        async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
            return dict.fromkeys(partitions, self._offset)

        async def stored_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
            return dict.fromkeys(partitions, self._offset)

    def consumer(self, monkeypatch: pytest.MonkeyPatch, *, stored: int, end: int) -> Consumer:
        consumer = Consumer(SinkSettings(), self.Stored(stored), lambda: None)
        monkeypatch.setattr(consumer, "_kafka", self.Logs(end))
        monkeypatch.setattr(consumer, "_held", {3: Held(20, 9)})
        return consumer

    async def test_what_sessions_hold_by_now_is_let_pass_once_all_appearances_are_stored(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        consumer = self.consumer(monkeypatch, stored=7, end=7)
        await consumer._release()
        assert (consumer._held, consumer._let_pass) == ({}, {3: 30})

    async def test_until_then_they_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        consumer = self.consumer(monkeypatch, stored=6, end=7)
        await consumer._release()
        assert (consumer._held, consumer._let_pass) == ({3: Held(20, 9)}, {})

    async def test_what_was_stored_of_a_former_log_does_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        consumer = self.consumer(monkeypatch, stored=1_000, end=7)
        await consumer._position({TopicPartition(Topic.APPEARANCES, 3)})
        assert consumer._appearances_offsets()[3] == 0
        await consumer._release()
        assert consumer._held == {3: Held(20, 9)}


async def test_a_batch_that_could_not_be_written_is_let_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Content:
        pass

    left: list[weakref.ref[Content]] = []

    class Failing(Writer):
        def __init__(self) -> None:
            pass

        async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> Written:
            content: Any = Content()
            batch.unreadable.append(content)
            left.append(weakref.ref(content))
            raise OSError("away")

    consumer = Consumer(SinkSettings(), Failing(), lambda: None)

    async def poll() -> dict[Partition, list[Record]]:
        return {OWNED: [Record(3, 7, b"c1", b"unreadable")]}

    monkeypatch.setattr(consumer._kafka, "assignment", lambda: {OWNED})
    monkeypatch.setattr(consumer, "_poll", poll)
    monkeypatch.setattr(consumer, "_expected", {OWNED: 7})
    gc.disable()
    try:
        await consumer._step()
        with contextlib.suppress(OSError):
            await consumer._written()
        await asyncio.sleep(0)  # until then the loop holds the task that it has just told of
        assert [content() for content in left] == [None]
    finally:
        gc.enable()


class TestWhatTheWatchdogSees:
    async def test_records_that_come_are_activity_and_polls_without_any_are_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        consumer = Consumer(SinkSettings(), Writer.__new__(Writer), lambda: None)
        polled: list[dict[Partition, list[Record]]] = [{}, {}, {OWNED: [Record(3, 7, b"c1", b"unreadable")]}]

        async def poll() -> dict[Partition, list[Record]]:
            return polled.pop(0)

        async def handle(*_: object) -> None:
            pass

        monkeypatch.setattr(consumer._kafka, "assignment", lambda: {OWNED})
        monkeypatch.setattr(consumer, "_poll", poll)
        monkeypatch.setattr(consumer, "_handle", handle)
        monkeypatch.setattr(consumer, "_expected", {OWNED: 7})
        seen = [consumer.activity.of(OWNED)]
        while polled:
            await consumer._step()
            seen.append(consumer.activity.of(OWNED))
        assert seen[0] == seen[1] == seen[2] != seen[3]
        assert consumer.activity.of((Topic.ALERTS, 4)) == seen[0]

    async def test_time_that_postgresql_takes_is_activity(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Slow(Writer):
            def __init__(self) -> None:
                pass

            async def write(self, batch: Batch, expected: Mapping[Partition, int]) -> Written:
                for _ in range(3):
                    seen.append(consumer.activity.of(OWNED))
                    now[0] += SLOW_SECONDS - 1
                return Written([], 0)

        now = [0.0]
        monkeypatch.setattr("services.sink.activity.time", SimpleNamespace(monotonic=lambda: now[0]))
        seen: list[object] = []
        consumer = Consumer(SinkSettings(), Slow(), lambda: None)
        await consumer._handle(Batch(), {})
        seen.append(consumer.activity.of(OWNED))
        assert seen[0] == seen[1] == seen[3] != seen[2]

    async def test_attempts_that_fail_are_activity(self, monkeypatch: pytest.MonkeyPatch) -> None:
        attempts = 0

        async def step() -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 3:
                raise asyncio.CancelledError
            seen.append(consumer.activity.of(OWNED))
            raise OSError("away")

        async def nothing(*_: object) -> None:
            pass

        seen: list[object] = []
        consumer = Consumer(SinkSettings(sink_retry_seconds=0.01), Writer.__new__(Writer), lambda: None)
        monkeypatch.setattr(consumer._kafka, "start", nothing)
        monkeypatch.setattr(consumer, "_step", step)
        monkeypatch.setattr("services.sink.consumer.FIRST_PAUSE_SECONDS", 0.01)
        with pytest.raises(asyncio.CancelledError):
            await consumer.run()
        assert seen[0] != seen[1]

    async def test_partitions_that_rest_are_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        consumer = Consumer(SinkSettings(), Writer.__new__(Writer), lambda: None)
        both = {TopicPartition(Topic.SESSIONS, 3), TopicPartition(Topic.APPEARANCES, 3)}
        monkeypatch.setattr(consumer._kafka, "assignment", lambda: both)
        monkeypatch.setattr(consumer, "_held", {3: Held(20, 8)})
        assert consumer.partitions_to_read() == {TopicPartition(Topic.APPEARANCES, 3)}
