"""What the handlers of the Faust services stand on: a state table, a producer, and the records of a partition."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from services.common.kafka.envelopes import envelopes
from services.common.topics import Topic

PARTITION = 3


class CrashError(Exception):
    pass


class Table:
    """A state table that takes `room` more values, and crashes at the next; with no bound as None."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.room: int | None = None
        self.read_to_its_end = True
        self.began_late: set[int] = set()
        self.continuity: Any = SimpleNamespace(at_end=lambda _: self.read_to_its_end)

    def read(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    async def write(self, _: int, values: Iterable[tuple[bytes, bytes]]) -> None:
        for key, value in values:
            if self.room == 0:
                raise CrashError
            self.room = self.room and self.room - 1
            self.values[key] = value


class Producer:
    def __init__(self) -> None:
        self._told: dict[Topic, list[Any]] = {topic: [] for topic in Topic}

    async def publish(self, topic: Topic, items: Iterable[Any], _: str) -> None:
        self._told[topic] += items

    def told(self, topic: Topic) -> list[Any]:
        """What has come out since this was asked last."""
        told = self._told[topic]
        self._told[topic] = []
        return told


class Records:
    """Events of one record each, which lie one behind the other in their topics."""

    def __init__(self) -> None:
        self._offsets = dict.fromkeys(Topic, 0)

    def next(self, topic: Topic, items: Sequence[Any], timestamp: float) -> Any:
        """`timestamp` is in seconds since 1970."""
        ((key, value),) = envelopes(topic, items, "test")
        offset, self._offsets[topic] = self._offsets[topic], self._offsets[topic] + 1
        message = SimpleNamespace(
            topic=topic, partition=PARTITION, offset=offset, key=key, value=value, timestamp=timestamp
        )
        return SimpleNamespace(message=message, headers=[])
