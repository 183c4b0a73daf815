"""Partition workers and continuity, with events made by hand."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from faust.types import TP

from services.common.kafka.continuity import Continuity
from services.common.kafka.workers import PartitionWorkers
from services.common.kept import UnreadableError
from services.common.topics import Topic


class ProcessEndedError(Exception):
    pass


class Event:
    def __init__(self, topic: Topic, partition: int, offset: int) -> None:
        self.message = SimpleNamespace(topic=topic, partition=partition, offset=offset, tp=TP(topic, partition))
        self.acknowledged = False

    def ack(self) -> None:
        self.acknowledged = True


def of_app(consumer: Any) -> Continuity:
    app: Any = SimpleNamespace(consumer=consumer)
    return Continuity(app)


def table_of(continuity: Continuity) -> Any:
    """A state table that can be given up, and then ends the process."""

    async def give_up(partition: int) -> None:
        raise ProcessEndedError(f"given up: {partition}")

    return SimpleNamespace(continuity=continuity, give_up=give_up)


@pytest.fixture
def continuity() -> Continuity:
    return of_app(None)


def ends_the_process() -> Any:
    def end(reason: str, **_: Any) -> None:
        raise ProcessEndedError(reason)

    return end


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_events_of_a_partition_are_handled_in_order_and_acknowledged_afterwards(continuity: Continuity) -> None:
    handled: list[int] = []
    release = asyncio.Event()

    async def handle(_: int, events: Sequence[Any]) -> None:
        await release.wait()
        handled.extend(event.message.offset for event in events)

    events = [Event(Topic.SESSIONS, 3, offset) for offset in range(3)]
    async with PartitionWorkers(handle, table_of(continuity)) as workers:
        for event in events:
            await workers.add(event)
        await asyncio.sleep(0)
        assert not any(event.acknowledged for event in events)
        release.set()
        await until(lambda: all(event.acknowledged for event in events))
    assert handled == [0, 1, 2]


async def test_a_partition_that_waits_does_not_hold_up_another(continuity: Continuity) -> None:
    async def handle(partition: int, _: Sequence[Any]) -> None:
        if partition == 1:
            await asyncio.Event().wait()

    stuck, free = Event(Topic.SESSIONS, 1, 0), Event(Topic.SESSIONS, 2, 0)
    async with PartitionWorkers(handle, table_of(continuity)) as workers:
        await workers.add(stuck)
        await workers.add(free)
        await until(lambda: free.acknowledged)
    assert not stuck.acknowledged


async def test_a_failure_ends_the_process_and_acknowledges_nothing(continuity: Continuity) -> None:
    async def handle(_: int, events: Sequence[Any]) -> None:
        raise ValueError(events)

    event = Event(Topic.SESSIONS, 0, 0)
    with patch("services.common.kafka.workers.end_process", ends_the_process()):
        workers = PartitionWorkers(handle, table_of(continuity))
        await workers.add(event)
        (task,) = workers._tasks
        with pytest.raises(ProcessEndedError, match="could not be handled"):
            await task
    assert not event.acknowledged


async def test_state_that_cannot_be_read_is_given_up(continuity: Continuity) -> None:
    async def handle(_: int, events: Sequence[Any]) -> None:
        raise UnreadableError(events)

    async def act(_: int) -> None:
        raise UnreadableError

    event = Event(Topic.SESSIONS, 7, 0)
    workers = PartitionWorkers(handle, table_of(continuity))
    await workers.add(event)
    (task,) = workers._tasks
    with pytest.raises(ProcessEndedError, match="given up: 7"):
        await task
    assert not event.acknowledged
    with pytest.raises(ProcessEndedError, match="given up: 7"):
        await workers.between(7, act)


async def test_something_else_is_done_between_batches_and_left_out_during_one(continuity: Continuity) -> None:
    release = asyncio.Event()
    done: list[str] = []

    async def handle(_: int, events: Sequence[Any]) -> None:
        await release.wait()
        done.append("records")

    async def act(partition: int) -> None:
        done.append(f"between, of {partition}")

    event = Event(Topic.SESSIONS, 3, 0)
    async with PartitionWorkers(handle, table_of(continuity)) as workers:
        await workers.add(event)
        await asyncio.sleep(0)
        await workers.between(3, act)
        assert done == []
        release.set()
        await until(lambda: event.acknowledged)
        await workers.between(3, act)
    assert done == ["records", "between, of 3"]


async def test_a_failure_between_batches_ends_the_process(continuity: Continuity) -> None:
    async def handle(_: int, events: Sequence[Any]) -> None: ...

    async def act(_: int) -> None:
        raise ValueError

    workers = PartitionWorkers(handle, table_of(continuity))
    with patch("services.common.kafka.workers.end_process", ends_the_process()), pytest.raises(ProcessEndedError):
        await workers.between(3, act)


@pytest.mark.parametrize(
    ("topic", "offsets", "ends"),
    [
        (Topic.SESSIONS, [7, 8, 9], False),
        (Topic.SESSIONS, [7, 9], True),
        (Topic.SESSIONS, [7, 8, 7, 8], False),
        (Topic.CAMERAS, [7, 99], False),
    ],
    ids=["one after the other", "a gap", "read again", "compaction leaves gaps"],
)
def test_a_gap_ends_the_process(continuity: Continuity, topic: Topic, offsets: list[int], ends: bool) -> None:
    def follow() -> None:
        for offset in offsets:
            continuity.expect(Event(topic, 0, offset).message)

    with patch("services.common.kafka.continuity.end_process", ends_the_process()):
        if ends:
            with pytest.raises(ProcessEndedError, match="left out"):
                follow()
        else:
            follow()


class Consumer:
    """A group's offsets as Faust's consumer tells them, and what was asked of it."""

    def __init__(self, committed: dict[TP, int | None], highwater: int | None = None) -> None:
        self.flowing = True
        self.committed = committed
        self._highwater = highwater
        self.sought: dict[TP, int] = {}

    def stop_flow(self) -> None:
        self.flowing = False

    def assignment(self) -> set[TP]:
        return {*self.committed, TP("dwell-insights-cameras-changelog", 0)}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return self.committed

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 5)

    async def seek(self, partition: TP, offset: int) -> None:
        self.sought[partition] = offset

    def highwater(self, _: TP) -> int | None:
        return self._highwater

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.committed.update(offsets)
        return True


async def begun(
    consumer: Consumer, stateless: set[int], *, rebalancing: bool = False
) -> tuple[Continuity, set[int] | None]:
    app: Any = SimpleNamespace(consumer=consumer, consumer_generation_id=1, rebalancing=rebalancing)
    continuity = Continuity(app)
    with patch("services.common.kafka.continuity.FETCH_SECONDS", 0):
        return continuity, await continuity.begin(stateless)


async def test_after_recovery_partitions_go_on_where_they_were_committed_or_begin() -> None:
    committed, fresh = TP(Topic.SESSIONS, 0), TP(Topic.SESSIONS, 1)
    consumer = Consumer({committed: 41, fresh: None})
    continuity, began_late = await begun(consumer, stateless=set())
    assert not consumer.flowing
    assert consumer.sought == {committed: 41, fresh: 5}
    assert began_late == {1}, "what the log held before its record 5 was never read"
    with patch("services.common.kafka.continuity.end_process", ends_the_process()):
        continuity.expect(Event(Topic.SESSIONS, 0, 41).message)
        with pytest.raises(ProcessEndedError):
            continuity.expect(Event(Topic.SESSIONS, 1, 6).message)


async def test_a_partition_without_state_is_read_again_from_its_first_record_and_the_group_is_told_so() -> None:
    kept, lost = TP(Topic.SESSIONS, 0), TP(Topic.SESSIONS, 1)
    consumer = Consumer({kept: 41, lost: 41})
    _, began_late = await begun(consumer, stateless={1})
    assert consumer.sought == consumer.committed == {kept: 41, lost: 5}
    assert began_late == {1}


async def test_of_a_partition_that_retention_overtook_records_are_gone_unread() -> None:
    read, overtaken = TP(Topic.SESSIONS, 0), TP(Topic.SESSIONS, 1)
    consumer = Consumer({read: 5, overtaken: 4})
    _, began_late = await begun(consumer, stateless=set())
    assert (consumer.sought, began_late) == ({read: 5, overtaken: 5}, {1})


@pytest.mark.parametrize(
    ("handled", "end", "rebalancing", "owned", "expected"),
    [
        ([], 5, False, True, True),
        ([], 6, False, True, False),
        ([5, 6], 7, False, True, True),
        ([5, 6], 8, False, True, False),
        ([], None, False, True, False),
        ([], 5, True, True, False),
        ([], 5, False, False, False),
    ],
    ids=[
        "nothing came since the start",
        "what came is not handled yet",
        "all is handled",
        "one record is left",
        "not asked yet",
        "while partitions move",
        "another process's partition",
    ],
)
async def test_a_partition_is_at_its_end_when_all_that_it_holds_is_handled(
    handled: list[int], end: int | None, rebalancing: bool, owned: bool, expected: bool
) -> None:
    partition = TP(Topic.SESSIONS, 0)

    consumer = Consumer({partition: 5}, highwater=end)
    continuity, _ = await begun(consumer, stateless=set(), rebalancing=rebalancing)
    for offset in handled:
        continuity.handled(Event(Topic.SESSIONS, 0, offset).message)
    assert continuity.at_end(partition if owned else TP(Topic.SESSIONS, 1)) is expected
