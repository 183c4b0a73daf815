"""No record of a source topic is left out, whatever Faust does while it starts."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import faust
from faust.types import TP

from services.common.kafka.ending import end_process
from services.common.logging import get_logger
from services.common.topics import SPECS, Topic

log = get_logger(__name__)

FETCH_SECONDS = 1.1
"""A fetch that Faust has begun ends within its fixed limit of 1 s."""


class Continuity:
    """Places every source partition when its state has been recovered, and checks that records follow each other.

    Recovery ends so: Faust takes the changelogs out of the set of partitions to fetch, puts the sources in, seeks them
    to their committed offsets, and clears its queues. A fetch that was waiting meanwhile takes an empty set for all
    partitions, its records are thrown away, and seeking brings back only partitions with a commit above 0. What is read
    before the clearing is handed on in part, and the gap counts as acknowledged. Either way records were lost in a
    third of the starts on a backlog. Hence: no fetch from the end of recovery to the clearing, and an explicit seek.
    """

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._next: dict[TP, int] = {}
        self._handled: dict[TP, int] = {}

    async def begin(self, stateless: Collection[int]) -> set[int] | None:
        """Hold the flow, which Faust starts again after the clearing, and seek each partition to where it goes on.

        Partitions without any state begin at the first record that there still is. The group is told so first: after a
        crash, a state half built then goes on from where it was. Returns those of which records are gone unread; None
        where the partitions went away meanwhile.
        """
        consumer: Any = self._app.consumer
        generation = self._app.consumer_generation_id
        consumer.stop_flow()
        await asyncio.sleep(FETCH_SECONDS)
        sources = [partition for partition in consumer.assignment() if partition.topic in SPECS]
        if not sources or generation != self._app.consumer_generation_id:
            return None
        committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
        earliest: Mapping[TP, int] = await consumer.earliest_offsets(*sources)
        again = {
            partition: earliest[partition]
            for partition in sources
            if partition.partition in stateless and (committed.get(partition) or 0) > earliest[partition]
        }
        if again:
            log.warning("no state is left, reading again what the log holds", partitions=sorted(map(str, again)))
            # Faust has no public way to commit a chosen offset.
            if not await consumer._commit(again):
                end_process("the group could not be told that partitions are read again")
        self._next = {
            partition: again.get(partition, max(committed.get(partition) or 0, earliest[partition]))
            for partition in sources
        }
        self._handled = dict(self._next)
        for partition, offset in self._next.items():
            await consumer.seek(partition, offset)
        return {
            partition.partition
            for partition in sources
            if earliest[partition] > (0 if partition.partition in stateless else committed.get(partition) or 0)
        }

    def expect(self, message: Any) -> None:
        """End the process at a gap, before anything behind it is acknowledged: the next one reads what was left out.

        Retention may also make a gap, once, if it overtakes a reader.
        """
        expected = self._next.get(message.tp, message.offset)
        if message.offset > expected and SPECS[Topic(message.topic)].cleanup != "compact":
            end_process("records were left out", partition=message.tp, expected=expected, found=message.offset)
        self._next[message.tp] = message.offset + 1

    def handled(self, message: Any) -> None:
        """Note that all up to this record has been done."""
        self._handled[message.tp] = max(self._handled.get(message.tp, 0), message.offset + 1)

    def at_end(self, partition: TP) -> bool:
        """Whether the partition is this process's and everything has been handled that it held when it was last asked,
        which is some two seconds ago at most."""
        consumer: Any = self._app.consumer
        if self._app.rebalancing or partition not in consumer.assignment():
            return False
        end: int | None = consumer.highwater(partition)
        return end is not None and self._handled.get(partition, 0) >= end
