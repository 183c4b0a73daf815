"""The bytes of a stream of server-sent events → what each event carries.

Deployments differ: events with or without a blank line between them, ``data:`` with or without a blank behind it, JSON
over several data lines, JSON within a JSON string, an envelope around the event, and lines that are nothing at all.
"""

from codecs import BOM_UTF8

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from services.common.kafka.envelopes import UNREADABLE
from services.ingest.intake import UnreadableError, read_elements

MAX_EVENT_BYTES = 2 * 1024 * 1024
"""As for a webhook's body: whatever it holds, it fits into one Kafka record."""

_FIELD = b"data:"

_OPENING = b'{["'
"""How JSON begins that can be an event; anything else on a data line is a sign of life."""

_CLOSING = {ord("{"): ord("}"), ord("["): ord("]"), ord('"'): ord('"')}

_TYPE = b'"event_type"'

_EARLY = 48
"""Bytes of an event within which its type stands, where it comes as it is."""

_MAX_WRAPPINGS = 4


class EventStream:
    """Takes a connection's bytes as they come, cut anywhere, and gives the payloads that are complete.

    What is longer than `max_bytes` goes to `overlong`, its beginning only, for the reader to take from there.
    """

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self.overlong: list[bytes] = []
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._skipping = False
        self._after_return = False

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_return = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *others = chunk.split(b"\n")
        if not self._skipping:
            self._line += first
        payloads: list[bytes] = []
        if others:
            self._end_line(bytes(self._line), payloads)
            *whole, rest = others
            for line in whole:
                self._end_line(line, payloads)
            self._line = bytearray(rest)
        if len(self._line) > self._max_bytes:
            self._skipping = True
            if self._line.startswith(_FIELD):
                self._give_up(bytes(self._line[len(_FIELD) :]))
            self._line.clear()
        # Where no blank line follows an event, the next one may be long in coming.
        if len(self._data) == 1 and not self._line and _is_json(self._data[0]):
            self._end_event(payloads)
        return payloads

    def _end_line(self, line: bytes, payloads: list[bytes]) -> None:
        if self._skipping:
            self._skipping = False
        elif not line:
            self._end_event(payloads)
        elif (line := line.removeprefix(BOM_UTF8)).startswith(_FIELD):
            self._add(line[len(_FIELD) :].strip(), payloads)

    def _add(self, data: bytes, payloads: list[bytes]) -> None:
        if not self._data and not (data and data[0] in _OPENING):
            return
        if len(self._data) == 1 and _is_json(self._data[0]):
            self._end_event(payloads)
        self._data.append(data)
        self._size += len(data)
        if self._size > self._max_bytes:
            self._give_up(b"\n".join(self._data))

    def _end_event(self, payloads: list[bytes]) -> None:
        data, self._data, self._size = self._data, [], 0
        if len(data) < 2:
            payloads += data
            return
        joined = b"\n".join(data)
        whole = [] if _is_json(joined) else [line for line in data if _is_json(line)]
        # A torn event must not take those behind it along.
        payloads += whole or [joined]

    def _give_up(self, event: bytes) -> None:
        self.overlong.append(event[: self._max_bytes])
        self._data, self._size = [], 0


class _Envelope(Struct):
    event_type: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET


def elements_of(payload: bytes, source: str) -> list[Raw]:
    """The events of one payload, out of whatever they are wrapped in; what is no JSON comes as it is."""
    if payload.startswith(b"{") and _TYPE in payload[:_EARLY] and _is_json(payload):
        return [Raw(payload)]
    try:
        elements = read_elements(payload, source)
    except UnreadableError:
        return [Raw(payload)]
    return [event for each in elements for event in _unwrapped(each, source, _MAX_WRAPPINGS)]


def _unwrapped(element: Raw, source: str, wrappings: int) -> list[Raw]:
    inner = _within(bytes(element)) if wrappings else None
    if inner is None:
        return [element]
    try:
        elements = read_elements(inner, source)
    except UnreadableError:
        return [element]
    return [event for each in elements for event in _unwrapped(each, source, wrappings - 1)]


def _within(element: bytes) -> bytes | None:
    """The JSON within a JSON string or an envelope's `data`; None where there is none."""
    inner = b""
    try:
        if element.startswith(b'"'):
            inner = msgspec.json.decode(element, type=str).strip().encode()
        elif element.startswith(b"{") and _TYPE not in element[:_EARLY]:
            envelope = msgspec.json.decode(element, type=_Envelope)
            if envelope.event_type is UNSET and isinstance(envelope.data, Raw):
                inner = bytes(envelope.data)
    except UNREADABLE:
        return None
    return inner if inner and inner[0] in _OPENING else None


def _is_json(data: bytes) -> bool:
    if _CLOSING.get(data[0] if data else 0) != data[-1:].ljust(1)[0]:
        return False
    try:
        msgspec.json.decode(data, type=Raw)
    except UNREADABLE:
        return False
    return True
