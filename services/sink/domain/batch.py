"""One batch of records: what of it can be read, where each item stood, and where reading goes on."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

import msgspec
from msgspec import Struct, field

from services.common.events.admission import refusal
from services.common.events.quarantine import Quarantined
from services.common.events.sessions import appearances_before
from services.common.kafka.envelopes import BadItem, Decoded, decode, decode_bare
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


class Placed(Struct, frozen=True, gc=False):
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


class Held(Struct, frozen=True):
    """A session record that comes before the appearances that it is judged by, and with it all that follow it."""

    offset: int
    appearances_offset: int
    """How far the appearances of its partition must be stored."""


class Batch(Struct, frozen=True):
    """`following` is partition → the offset after its last record in the batch."""

    following: dict[Partition, int] = field(default_factory=dict)
    items: dict[Topic, list[Placed]] = field(default_factory=dict)
    unreadable: list[Quarantined] = field(default_factory=list)
    held: dict[int, Held] = field(default_factory=dict)
    """By number of the partition of the sessions"""


def reading(
    batch: Batch,
    polled: Mapping[Partition, Iterable[Record]],
    max_dwell: timedelta,
    appearances_offsets: Mapping[int, int],
    let_pass: Mapping[int, int],
) -> Iterator[Partition]:
    """Read the records into the batch, one at a step, for each may take some milliseconds; gives where it was.

    Those of sessions are read as far as `appearances_offsets` (by partition) and the batch itself go, and those before
    the offset `let_pass` (by partition) in any case.
    """
    # Appearances first: the session records that they cause may be in the same batch.
    for name, partition in sorted(polled, key=lambda place: place[0] != Topic.APPEARANCES):
        topic = Topic(name)
        for record in polled[name, partition]:
            decoded = _decoded(topic, record, max_dwell)
            if topic is Topic.SESSIONS and record.offset >= let_pass.get(partition, 0):
                needed = max((appearances_before(each.revision) for each in decoded.items), default=0)
                stored = appearances_offsets.get(partition, 0)
                if needed > max(stored, batch.following.get((Topic.APPEARANCES, partition), 0)):
                    batch.held[partition] = Held(record.offset, needed)
                    break
            _add_record(batch, topic, partition, record, decoded)
            batch.following[name, partition] = record.offset + 1
            yield name, partition


def _decoded(topic: Topic, record: Record, max_dwell: timedelta) -> Decoded:
    if record.value is None and SPECS[topic].cleanup == "compact":
        # A tombstone: compaction shall forget the key, which says nothing about what is stored.
        return Decoded([], [])
    if topic in (Topic.APPEARANCES, Topic.APPEARANCES_FORENSIC):
        return decode_bare(record.value).admit(lambda report: refusal(report, record.key, max_dwell))
    return decode(topic, record.value)


def _add_record(batch: Batch, topic: Topic, partition: int, record: Record, decoded: Decoded) -> None:
    batch.items.setdefault(topic, []).extend(
        [Placed(item, topic, partition, record.offset, position) for position, item in decoded.placed()]
    )
    batch.unreadable.extend(
        refuse_record(topic, partition, record.offset, bad, camera_of(topic, record.key)) for bad in decoded.bad
    )
