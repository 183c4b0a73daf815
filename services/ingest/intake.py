"""From the vendor's events to facts, refusals and signs of life; every source comes through here."""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from services.common.corsight.chunks import MAX_EXTRA_CHARS, RowError, RowRules, is_image_name
from services.common.corsight.event import normalise_event
from services.common.events.appearances import Appearance
from services.common.events.common import stable_id
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import UNKNOWN_EVENT_TYPE, Quarantined
from services.common.kafka.envelopes import UNREADABLE
from services.common.kafka.quarantine import refuse
from services.common.lanes import is_forensic
from services.ingest.faces import take_crop

_WORD = re.compile(r"[a-z]+")
_OF_STATUS = frozenset({"status", "server", "system", "service", "camera", "node", "event", "update"})


class UnreadableError(Exception):
    """The body as a whole is no JSON; `refusal` is its entry in the quarantine."""

    def __init__(self, reason: str, refusal: Quarantined) -> None:
        super().__init__(reason)
        self.refusal = refusal


class Taken(Struct):
    """What one delivery held. Every element is in exactly one place; `signs_of_life` counts those that say no more.

    `forensic` are appearances in recorded video. `crops` are face crops by the names that the appearances give them.
    """

    appearances: list[Appearance] = field(default_factory=list)
    forensic: list[Appearance] = field(default_factory=list)
    insights: list[InsightEvent] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)
    signs_of_life: int = 0
    crops: dict[str, bytes] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        return len(self.appearances) + len(self.forensic) + len(self.insights) + self.signs_of_life

    @property
    def rejected(self) -> int:
        return len(self.refused) - self.unknown

    @property
    def unknown(self) -> int:
        """Of what is kept in quarantine: events of a type that nobody knows, which is no fault."""
        return sum(refusal.reason_code == UNKNOWN_EVENT_TYPE for refusal in self.refused)

    @property
    def count(self) -> int:
        return self.accepted + len(self.refused)

    @property
    def facts(self) -> list[Appearance | InsightEvent]:
        """But for those in recorded video, whose times say nothing of now."""
        return [*self.appearances, *self.insights]

    @property
    def reported_at(self) -> datetime | None:
        """When the newest of the facts was reported."""
        return max((fact.reported_at for fact in self.facts), default=None)

    def add(self, other: "Taken") -> None:
        self.appearances += other.appearances
        self.forensic += other.forensic
        self.insights += other.insights
        self.refused += other.refused
        self.signs_of_life += other.signs_of_life
        self.crops |= other.crops


def read_elements(body: bytes, source: str) -> list[msgspec.Raw]:
    """The elements of an array, or the one element that the body is. Raises `UnreadableError`."""
    try:
        return _split(body)
    except UNREADABLE:
        try:
            return _split_leniently(body)
        except (ValueError, RecursionError) as error:
            refusal = refuse(_source_of(source, body), "bad_json", str(error), body)
            raise UnreadableError(str(error), refusal) from error


def _split(body: bytes) -> list[msgspec.Raw]:
    if body.lstrip()[:1] == b"[":
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    return [msgspec.json.decode(body, type=msgspec.Raw)]


def _split_leniently(body: bytes) -> list[msgspec.Raw]:
    """For what only some writers and readers call JSON (NaN, halves of characters): it costs its own element alone."""
    value = json.loads(body)
    return [msgspec.Raw(json.dumps(each).encode()) for each in (value if isinstance(value, list) else [value])]


def take(elements: Iterable[msgspec.Raw], source: str, rules: RowRules, *, with_crops: bool = False) -> Taken:
    """What the elements hold, and where `with_crops` says so their face crops, which are no part of any fact."""
    taken = Taken()
    for raw in elements:
        try:
            _take_one(taken, raw, source, rules, with_crops)
        except RecursionError:
            whence = _source_of(source, bytes(raw))
            taken.refused.append(refuse(whence, "schema_violation", "nested too deeply", bytes(raw)))
    return taken


def _take_one(taken: Taken, raw: msgspec.Raw, source: str, rules: RowRules, with_crops: bool) -> None:
    element = None
    try:
        element = _decode(raw)
        if _is_sign_of_life(element):
            taken.signs_of_life += 1
            return
        fact = normalise_event(element, source=source, rules=rules)
    except RowError as error:
        taken.refused.append(_refused(error, raw, element, source))
        return
    if isinstance(fact, InsightEvent):
        taken.insights.append(fact)
        return
    if with_crops:
        take_crop(element, fact, taken.crops)
    (taken.forensic if is_forensic(fact.extra) else taken.appearances).append(fact)


def _decode(raw: msgspec.Raw) -> Any:
    try:
        element = msgspec.json.decode(raw)
        # An event may come as a text that holds its JSON.
        return msgspec.json.decode(element) if isinstance(element, str) else element
    except UnicodeDecodeError as error:
        raise RowError("bad_encoding", str(error)) from error
    except msgspec.DecodeError as error:
        raise RowError("bad_json", str(error)) from error


def _is_sign_of_life(element: Any) -> bool:
    """The vendor's servers tell their status every few seconds; under which names is not documented."""
    return (
        isinstance(element, dict)
        and "status" in (words := _WORD.findall(str(element.get("event_type")).lower()))
        and _OF_STATUS.issuperset(words)
        and "appearance_data" not in element
    )


def _refused(error: RowError, raw: msgspec.Raw, element: Any, source: str) -> Quarantined:
    without = _without_pictures(element)
    kept = bytes(raw) if without == element else msgspec.json.encode(without)
    return refuse(_source_of(source, bytes(raw)), error.reason_code, error.reason, kept, error.camera_id)


def _source_of(source: str, raw: bytes) -> str:
    """The same content delivered again is the same refusal. Not by event_id: updates may repeat that."""
    return f"{source}#{stable_id(raw.hex())}"


def _without_pictures(value: Any) -> Any:
    """The value as it came, but for pictures, which never enter Kafka."""
    if isinstance(value, dict):
        return {
            name: _without_pictures(inner)
            for name, inner in value.items()
            if not is_image_name(name) and not _is_long(inner)
        }
    if isinstance(value, list):
        return [_without_pictures(inner) for inner in value if not _is_long(inner)]
    return value


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > MAX_EXTRA_CHARS
