"""State of a Faust app: bytes by key, in memory and in a changelog topic."""

import asyncio
from collections.abc import Iterable

import faust

from services.common.failpoints import failpoint
from services.common.kafka.continuity import Continuity
from services.common.kafka.faust_app import end_process
from services.common.topics import PARTITIONS, SPECS


class StateTable:
    """A Faust table whose writes are done only when Kafka has them.

    Assigning to a Faust table buffers the change: a flush that runs into its time limit, or a change that Kafka
    refuses, is logged and no more, and the offset is committed all the same. So changes are sent and awaited here.

    One app has one table: its changes then lie in one log in the order of their writing, and what a crash leaves is
    always a first part of them. All keys of a record belong to the record's partition.
    """

    def __init__(self, app: faust.App, name: str) -> None:
        self._app = app
        self._table = app.Table(name, key_type=bytes, value_type=bytes, partitions=PARTITIONS)
        self._table.on_recover(self._recovered)
        self.continuity = Continuity(app)

    def read(self, key: bytes) -> bytes | None:
        value: bytes | None = self._table.data.get(key)
        return value

    async def write(self, partition: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        failpoint("state.before_write")
        sent = []
        for key, value in values:
            sent.append(await self._table.changelog_topic.send(key=key, value=value, partition=partition))
            self._table.data[key] = value
        await asyncio.gather(*sent)
        failpoint("state.after_write")

    async def _recovered(self) -> None:
        assigned = self._app.consumer.assignment()
        changelog = self._table.changelog_topic.get_topic_name()
        recovered = {partition.partition for partition in assigned if partition.topic == changelog}
        stateless = {partition.partition for partition in assigned if partition.topic in SPECS} - recovered
        if stateless:
            end_process("partitions were assigned without their changelog", partitions=sorted(stateless))
        await self.continuity.begin()
