"""One batch of records: what of it can be read, where each item stood, and where reading goes on."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct, field

from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import BadItem, decode
from services.common.kafka.quarantine import refuse_record
from services.common.topics import SPECS, Topic

Partition = tuple[str, int]


class Record(Protocol):
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Placed(Struct, frozen=True):
    """An item and its place in the log."""

    item: Any
    topic: Topic
    partition: int
    offset: int
    position: int

    def refused(self, reason: str) -> Quarantined:
        """The entry for an item that reads well but that the database cannot hold, such as one with a NUL in a text."""
        raw = msgspec.json.encode(self.item)
        # The camera's id may be what was refused, so the entry must not carry it.
        return refuse_record(
            self.topic, self.partition, self.offset, BadItem(raw, "schema_violation", reason, self.position), None
        )


class Batch(Struct, frozen=True):
    """`following` is partition → the offset after its last record in the batch."""

    following: dict[Partition, int] = field(default_factory=dict)
    items: dict[Topic, list[Placed]] = field(default_factory=dict)
    unreadable: list[Quarantined] = field(default_factory=list)


def read(polled: Mapping[Partition, Iterable[Record]]) -> Batch:
    batch = Batch()
    for (name, partition), records in polled.items():
        topic = Topic(name)
        for record in records:
            _read_record(batch, topic, partition, record)
            batch.following[name, partition] = record.offset + 1
    return batch


def _read_record(batch: Batch, topic: Topic, partition: int, record: Record) -> None:
    decoded = decode(topic, record.value)
    refused = {bad.position for bad in decoded.bad}
    positions = (number for number in range(len(decoded.items) + len(refused)) if number not in refused)
    batch.items.setdefault(topic, []).extend(
        Placed(item, topic, partition, record.offset, position)
        for position, item in zip(positions, decoded.items, strict=True)
    )
    batch.unreadable.extend(
        refuse_record(topic, partition, record.offset, bad, _camera_id(topic, record.key)) for bad in decoded.bad
    )


def _camera_id(topic: Topic, key: bytes | None) -> str | None:
    if key is None or b"\0" in key or SPECS[topic].key != "camera_id":
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None
