"""One batch of records: what of it can be read, where each item stood, and where reading goes on."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import msgspec
from msgspec import Struct, field

from services.common.events.admission import refusal
from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import BadItem, decode
from services.common.kafka.quarantine import camera_of, refuse_record
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


def read(polled: Mapping[Partition, Iterable[Record]], max_dwell: timedelta) -> Batch:
    batch = Batch()
    for (name, partition), records in polled.items():
        topic = Topic(name)
        for record in records:
            _read_record(batch, topic, partition, record, max_dwell)
            batch.following[name, partition] = record.offset + 1
    return batch


def _read_record(batch: Batch, topic: Topic, partition: int, record: Record, max_dwell: timedelta) -> None:
    if record.value is None and SPECS[topic].cleanup == "compact":
        # A tombstone: compaction shall forget the key, which says nothing about what is stored.
        return
    decoded = decode(topic, record.value)
    if topic is Topic.APPEARANCES:
        decoded = decoded.admit(lambda report: refusal(report, record.key, max_dwell))
    batch.items.setdefault(topic, []).extend(
        Placed(item, topic, partition, record.offset, position) for position, item in decoded.placed()
    )
    batch.unreadable.extend(
        refuse_record(topic, partition, record.offset, bad, camera_of(topic, record.key)) for bad in decoded.bad
    )
