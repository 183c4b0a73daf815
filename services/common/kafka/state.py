"""State of a Faust app: bytes by key, in memory and in a changelog topic."""

import asyncio
from collections.abc import Iterable

import faust

from services.common.topics import PARTITIONS


class StateTable:
    """A Faust table whose writes are done only when Kafka has them.

    Assigning to a Faust table buffers the change: a flush that runs into its time limit, or a change that Kafka
    refuses, is logged and no more, and the offset is committed all the same. So changes are sent and awaited here.

    One app has one table: its changes then lie in one log in the order of their writing, and what a crash leaves is
    always a first part of them. All keys of a record belong to the record's partition.
    """

    def __init__(self, app: faust.App, name: str) -> None:
        self._table = app.Table(name, key_type=bytes, value_type=bytes, partitions=PARTITIONS)

        # After recovery Faust first resumes the source partitions and then seeks them to their committed offsets and
        # clears its queues. What it reads in between is partly handed on and partly thrown away, and the gap counts
        # as acknowledged: records are lost. Recovery itself starts the flow again, after the clearing.
        @self._table.on_recover
        async def hold_the_flow() -> None:
            app.consumer.stop_flow()

    def read(self, key: bytes) -> bytes | None:
        value: bytes | None = self._table.data.get(key)
        return value

    async def write(self, partition: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        sent = []
        for key, value in values:
            sent.append(await self._table.changelog_topic.send(key=key, value=value, partition=partition))
            self._table.data[key] = value
        await asyncio.gather(*sent)
