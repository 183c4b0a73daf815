"""State of a Faust app: bytes by key, in memory and in a changelog topic."""

from collections.abc import Iterable

import faust

from services.common.failpoints import failpoint
from services.common.kafka.continuity import Continuity
from services.common.kafka.ending import end_process
from services.common.kafka.faust_app import HEARTBEAT_SECONDS, SESSION_SECONDS
from services.common.kafka.producer import EventProducer
from services.common.kafka.watchdog import Pulse
from services.common.topics import PARTITIONS, SPECS

AWAKE_SECONDS = SESSION_SECONDS - 2 * HEARTBEAT_SECONDS
"""The session counts from the last heartbeat, which may be some seconds older than the last sign of life here."""


class StateTable:
    """A Faust table whose writes are done only when Kafka has them.

    Assigning to a Faust table buffers the change: a flush that runs into its time limit, or a change that Kafka
    refuses, is logged and no more, and the offset is committed all the same; and Faust's producer may change the order
    when it tries again. So changes go through an idempotent producer, and are awaited.

    One app has one table: its changes then lie in one log in the order of their writing, and what a crash leaves is
    always a first part of them. All keys of a record belong to the record's partition.

    Another `version` is another changelog: where values change their layout, the state is built anew from the log.
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
        """Partitions whose state is built anew from a log that does not go back to its beginning."""

    def read(self, key: bytes) -> bytes | None:
        value: bytes | None = self._table.data.get(key)
        return value

    async def write(self, partition: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        failpoint("state.before_write")
        self._pulse.check()
        written = list(values)
        self._table.data.update(written)
        await self.producer.write(self._table.changelog_topic.get_topic_name(), partition, written)
        failpoint("state.after_write")

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
        name = self._table.changelog_topic.get_topic_name()
        changelogs = [partition for partition in assigned if partition.topic == name]
        without = {tp.partition for tp in assigned if tp.topic in SPECS} - {tp.partition for tp in changelogs}
        if without:
            end_process("partitions were assigned without their changelog", partitions=sorted(without))
        first = await consumer.earliest_offsets(*changelogs)
        last = await consumer.highwaters(*changelogs)
        stateless = {partition.partition for partition in changelogs if last[partition] == first[partition]}
        self.began_late = await self.continuity.begin(stateless)
