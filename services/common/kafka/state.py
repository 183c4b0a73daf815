"""State of a Faust app: bytes by key, in memory and in a changelog topic."""

from collections.abc import Iterable
from typing import Any, NoReturn

import faust

from services.common.failpoints import failpoint
from services.common.kafka.continuity import Continuity
from services.common.kafka.ending import end_process
from services.common.kafka.faust_app import HEARTBEAT_SECONDS, SESSION_SECONDS
from services.common.kafka.producer import EventProducer, PublishError
from services.common.kafka.watchdog import Pulse
from services.common.logging import get_logger
from services.common.topics import PARTITIONS, SPECS

log = get_logger(__name__)

AWAKE_SECONDS = SESSION_SECONDS - 2 * HEARTBEAT_SECONDS
"""The session counts from the last heartbeat, which may be some seconds older than the last sign of life here."""

CLEARED_AT_ONCE = 5_000


class StateTable:
    """A Faust table whose writes are done only when Kafka has them.

    Assigning to a Faust table buffers the change: a flush that runs into its time limit, or a change that Kafka
    refuses, is logged and no more, and the offset is committed all the same; and Faust's producer may change the order
    when it tries again. So changes go through an idempotent producer, and are awaited.

    One app has one table: its changes then lie in one log in the order of their writing, and what a crash leaves is
    always a first part of them. All keys of a record belong to the record's partition.

    Another `version` is another changelog: where values change their layout, the state is built anew from the log.
    So is that of a partition in which a value cannot be read.
    """

    def __init__(self, app: faust.App, name: str, *, version: int) -> None:
        self._app = app
        self._table = app.Table(f"{name}.v{version}", key_type=bytes, value_type=bytes, partitions=PARTITIONS)
        self._table.on_recover(self._recovered)
        self.producer: EventProducer
        """To be set before anything is written."""
        self._pulse = Pulse(AWAKE_SECONDS)
        self.continuity = Continuity(app)
        self.began_late: set[int] = set()
        """Partitions of whose log some records were gone before they were read."""
        self._given_up: set[int] = set()
        """Partitions whose state is being built anew, of which nothing is written yet."""

    @property
    def _changelog(self) -> str:
        return self._table.changelog_topic.get_topic_name()

    def read(self, key: bytes) -> bytes | None:
        value: bytes | None = self._table.data.get(key)
        return value

    async def write(self, partition: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        failpoint("state.before_write")
        self._pulse.check()
        written = list(values)
        self._table.data.update(written)
        await self.producer.write(self._changelog, partition, written)
        if partition in self._given_up:
            # Not before there is state again: after a crash the partition is not taken for one that always had it all.
            await self._delete(partition, [_given_up_key(partition)])
            self._given_up.remove(partition)
        failpoint("state.after_write")

    async def give_up(self, partition: int) -> NoReturn:
        """End the process because the partition's state cannot be read; the next one builds it anew from the log."""
        try:
            await self.producer.write(self._changelog, partition, [(_given_up_key(partition), b"1")])
        except PublishError as error:
            log.error("the state could not be given up", partition=partition, reason=str(error))
        end_process("state cannot be read", partition=partition)

    async def _recovered(self) -> None:
        self._pulse.start()
        try:
            await self._place()
        except Exception:
            # Faust would go on as if nothing had been.
            end_process("partitions could not be placed after recovery")

    async def _place(self) -> None:
        consumer = self._app.consumer
        assigned = consumer.assignment()
        changelogs = [partition for partition in assigned if partition.topic == self._changelog]
        without = {tp.partition for tp in assigned if tp.topic in SPECS} - {tp.partition for tp in changelogs}
        if without:
            end_process("partitions were assigned without their changelog", partitions=sorted(without))
        first = await consumer.earliest_offsets(*changelogs)
        last = await consumer.highwaters(*changelogs)
        stateless = {partition.partition for partition in changelogs if last[partition] == first[partition]}
        given_up = {partition.partition for partition in changelogs if self.read(_given_up_key(partition.partition))}
        for number in given_up:
            await self._clear(number)
        began_late = await self.continuity.begin(stateless | given_up)
        if began_late is not None:
            self.began_late, self._given_up = began_late, given_up

    async def _clear(self, partition: int) -> None:
        store: Any = self._table.data
        # Faust has no public way to tell the keys of a partition.
        keys = [key for key, number in store._key_partition.items() if number == partition and key in store]
        keys.remove(_given_up_key(partition))
        log.warning("building state anew that could not be read", partition=partition, values=len(keys))
        for start in range(0, len(keys), CLEARED_AT_ONCE):
            await self._delete(partition, keys[start : start + CLEARED_AT_ONCE])

    async def _delete(self, partition: int, keys: list[bytes]) -> None:
        await self.producer.write(self._changelog, partition, [(key, None) for key in keys])
        for key in keys:
            self._table.data.pop(key)


def _given_up_key(partition: int) -> bytes:
    return f"given up:{partition}".encode()
