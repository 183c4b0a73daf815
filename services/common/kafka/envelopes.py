"""Kafka record values: encoding, and decoding in which one bad item never costs its neighbours."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from services.common.events.appearances import BareAppearance
from services.common.events.common import MAX_ENVELOPE_ITEMS, Envelope
from services.common.topics import SPECS, Topic

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bad data; a value nested some thousand levels deep ends in a RecursionError."""


MAX_ENVELOPE_BYTES = 1 << 20
"""Of the items of a record together; one item may be larger. The producer takes records of up to 4 MiB."""


class BadItem(msgspec.Struct, frozen=True):
    """A part of a record's value that is not what the contract says; `position` is its index among the items."""

    raw: bytes
    reason_code: str
    reason: str
    position: int = 0


class Decoded(msgspec.Struct, frozen=True):
    items: list[Any]
    bad: list[BadItem]

    def placed(self) -> Iterator[tuple[int, Any]]:
        """The items with their positions in the record."""
        bad = {each.position for each in self.bad}
        positions = (number for number in range(len(self.items) + len(bad)) if number not in bad)
        return zip(positions, self.items, strict=True)

    def admit(self, refusal: Callable[[Any], tuple[str, str] | None]) -> "Decoded":
        """The same without the items for which `refusal` gives a (reason code, reason); these become bad ones."""
        if not self.bad and all(refusal(item) is None for item in self.items):
            return self
        items, bad = [], list(self.bad)
        for position, item in self.placed():
            why = refusal(item)
            if why is None:
                items.append(item)
            else:
                bad.append(BadItem(msgspec.json.encode(item), *why, position))
        return Decoded(items, bad)


_OBJECT = ord("{")

_LOOSE = msgspec.json.Decoder(Envelope[msgspec.Raw])


@cache
def _decoder(topic: Topic) -> msgspec.json.Decoder[Any]:
    generic: Any = Envelope
    return msgspec.json.Decoder(generic[SPECS[topic].item])


@cache
def _item_decoder(topic: Topic) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(SPECS[topic].item)


def decode(topic: Topic, value: bytes | None) -> Decoded:
    """The items of one record, and what of it cannot be read; never raises for bad data."""
    if value is None:
        return Decoded([], [BadItem(b"", "schema_violation", "the record has no value")])
    try:
        return Decoded(_decoder(topic).decode(value).items, [])
    except UNREADABLE:
        return _decode_one_by_one(topic, value)


_BARE = msgspec.json.Decoder(Envelope[BareAppearance])


def decode_bare(value: bytes | None) -> Decoded:
    """The appearances of one record without the vendor's fields; else as `decode` gives them."""
    try:
        text = (value or b"").decode()  # what is not decoded below is not looked at either
        items = _BARE.decode(text).items
    except UNREADABLE:
        return decode(Topic.APPEARANCES, value)
    if all(memoryview(item.extra)[0] == _OBJECT for item in items):
        return Decoded(list(items), [])
    return decode(Topic.APPEARANCES, value)


def _decode_one_by_one(topic: Topic, value: bytes) -> Decoded:
    try:
        raws = _LOOSE.decode(value).items
    except UNREADABLE as error:
        return Decoded([], [_bad(value, error)])
    decoder = _item_decoder(topic)
    items, bad = [], []
    for position, raw in enumerate(raws):
        try:
            items.append(decoder.decode(raw))
        except UNREADABLE as error:
            bad.append(_bad(bytes(raw), error, position))
    return Decoded(items, bad)


def _bad(raw: bytes, error: Exception, position: int = 0) -> BadItem:
    code = "schema_violation"
    if isinstance(error, UnicodeDecodeError):
        code = "bad_encoding"
    elif isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        code = "bad_json"
    return BadItem(raw, code, str(error), position)


def key_of(topic: Topic, item: Any) -> str:
    """The record key of an item: what must stay in order together."""
    if topic is Topic.ALERT_RULES:
        return str(item.rule_id)
    if topic is Topic.QUARANTINE:
        return str(item.camera_id or item.source)
    return str(item.camera_id)


def envelopes(topic: Topic, items: Iterable[Any], source: str) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of the records that carry the items, in order within a key; compacted topics get one item each."""
    by_key: dict[str, list[Any]] = {}
    for item in items:
        by_key.setdefault(key_of(topic, item), []).append(item)
    count = 1 if SPECS[topic].cleanup == "compact" else MAX_ENVELOPE_ITEMS
    for key, of_key in by_key.items():
        camera_id = getattr(of_key[0], "camera_id", None)
        for chunk in _chunks(of_key, count):
            yield key.encode(), msgspec.json.encode(Envelope(camera_id=camera_id, source=source, items=chunk))


def _chunks(items: Iterable[Any], count: int) -> Iterator[list[msgspec.Raw]]:
    """The items encoded, so many and so large together as one record may carry."""
    chunk: list[msgspec.Raw] = []
    size = 0
    for item in items:
        encoded = msgspec.json.encode(item)
        if chunk and (len(chunk) == count or size + len(encoded) > MAX_ENVELOPE_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(msgspec.Raw(encoded))
        size += len(encoded)
    if chunk:
        yield chunk
