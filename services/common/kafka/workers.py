"""Events of one partition one after another, partitions side by side."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from services.common.failpoints import failpoint
from services.common.kafka.ending import end_process
from services.common.kafka.state import StateTable
from services.common.kept import UnreadableError

QUEUED_EVENTS = 16
"""Per partition. What waits of a camera is one write of its state, so bulk gets cheaper the more waits; its envelopes
are some 250 KB, though."""

Handle = Callable[[int, Sequence[Any]], Awaitable[None]]


class PartitionWorkers:
    """One worker a partition number, for the events of all topics with that number, so that state needs no locks.

    ``handle(partition, events)`` gets the events that wait, in order. They are acknowledged when it returns and never
    when it raises: the process ends instead, and gives up the partition's state first where that is unreadable. Take
    events with ``stream.noack().events()``, because a Faust stream acknowledges by itself when its agent moves on.
    """

    def __init__(self, handle: Handle, table: StateTable) -> None:
        self._handle = handle
        self._table = table
        self._continuity = table.continuity
        self._queues: dict[int, asyncio.Queue[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._at_work: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def add(self, event: Any) -> None:
        self._continuity.expect(event.message)
        partition = event.message.partition
        if partition not in self._queues:
            self._queues[partition] = asyncio.Queue(QUEUED_EVENTS)
            self._tasks.append(asyncio.create_task(self._work(partition), name=f"partition-{partition}"))
        await self._queues[partition].put(event)

    async def between(self, partition: int, act: Callable[[int], Awaitable[None]]) -> None:
        """Do something else to the partition's state, unless its events are being handled just now."""
        if self._at_work[partition].locked():
            return
        async with self._at_work[partition]:
            try:
                await act(partition)
            except UnreadableError:
                await self._table.give_up(partition)
            except Exception:
                end_process("a partition could not be seen to", partition=partition)

    async def _work(self, partition: int) -> None:
        queue = self._queues[partition]
        while True:
            events = [await queue.get()]
            while not queue.empty():
                events.append(queue.get_nowait())
            async with self._at_work[partition]:
                try:
                    await self._handle(partition, events)
                except UnreadableError:
                    await self._table.give_up(partition)
                except Exception:
                    end_process(
                        "events could not be handled",
                        partition=partition,
                        records=[f"{event.message.topic}/{partition}/{event.message.offset}" for event in events],
                    )
                failpoint("workers.before_ack")
                for event in events:
                    self._continuity.handled(event.message)
                    event.ack()
