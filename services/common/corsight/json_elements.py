"""JSON reports, element by element, so that a broken one harms no neighbour.

Accepted: an array, an object that wraps one (``{"data": [...]}``), a single object, and newline-delimited objects.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, TypeVar

import msgspec

from services.common.corsight.chunks import Chunk, Reject, RowError
from services.common.corsight.files import LineReader, UnsupportedFileError, UnusableFileError

T = TypeVar("T")

WRAPPERS = frozenset({"data", "events", "insights", "appearances", "matches"})
"""Names under which a report keeps its array; they may be nested (``{"data": {"matches": [...]}}``)."""

MAX_RESUMPTIONS = 100
"""Places at which reading on is tried after an element whose brackets never close; each costs a parse."""

_SPACE = re.compile(r"[\s,]*")
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
# The place before an object that follows another one; and fields by which it is an element and no part of one.
_NEXT_OBJECT = re.compile(r"(?:(?<=\}),\s*|\n\s*)(?=\{)")
_ELEMENT_FIELDS = frozenset({"camera_id", "camera_data", "event_id", "event_type"})
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class Element:
    """`row` is the 1-based line of newline-delimited JSON, else the element's place in the array."""

    row: int
    raw: bytes
    value: Any = None
    refused: RowError | None = None


def read_elements(
    lines: LineReader,
    json_format: Literal["json", "ndjson"],
    normalise: Callable[..., T],
    prefix: str,
    chunk_rows: int,
) -> Iterator[Chunk[T]]:
    """Chunks of what ``normalise(element, source=…)`` makes of every element; it raises `RowError`."""
    elements = _of_lines(lines) if json_format == "ndjson" else _of_document(lines)
    head = list(islice(elements, 2))
    if not head:
        raise UnusableFileError("the file holds no elements")
    if len(head) == 1 and head[0].refused and head[0].refused.reason_code == "bad_json":
        raise UnsupportedFileError(f"the file begins like JSON but cannot be read: {head[0].refused.reason}")

    def chunks() -> Iterator[Chunk[T]]:
        rest = chain(head, elements)
        while batch := list(islice(rest, chunk_rows)):
            chunk: Chunk[T] = Chunk()
            for element in batch:
                source = f"{prefix}#{element.row}"
                try:
                    if element.refused:
                        raise element.refused
                    chunk.items.append(normalise(element.value, source=source))
                except RowError as refused:
                    chunk.rejects.append(Reject.of(refused, element.row, source, element.raw))
            chunk.bytes_consumed = lines.bytes_consumed
            yield chunk

    return chunks()


def check_storable(value: Any) -> None:
    """Raises `RowError` where Kafka or PostgreSQL could not hold the decoded JSON value."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise RowError("bad_encoding", "an escape stands for half a character") from None
    except (RecursionError, OverflowError, TypeError) as error:
        raise RowError("schema_violation", str(error)) from None
    if b"\\u0000" in encoded:
        raise RowError("bad_encoding", "a text holds NUL characters")


def _element(row: int, raw: bytes, max_bytes: int) -> Element:
    if len(raw) > max_bytes:
        return Element(row, raw, refused=RowError("too_large", f"the element is longer than {max_bytes:,} bytes"))
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        return Element(row, raw, refused=RowError("bad_encoding", f"not UTF-8: {error.reason}"))
    except (ValueError, RecursionError) as error:
        return Element(row, raw, refused=RowError("bad_json", str(error)))
    return Element(row, raw, value)


def _of_lines(lines: LineReader) -> Iterator[Element]:
    for row, line in lines:
        if raw := line.strip():
            yield _element(row, raw, lines.max_row_bytes)
    if lines.broken_off:
        reason = f"the packed file breaks off here: {lines.broken_off}"
        yield Element(lines.number + 1, b"", refused=RowError("bad_encoding", reason))


def _of_document(lines: LineReader) -> Iterator[Element]:
    text = lines.read_all().decode("utf-8", "surrogateescape")
    position = _SPACE.match(text).end()  # type: ignore[union-attr]
    array = position if text.startswith("[", position) else _wrapped_array(text, position)
    in_array = array is not None
    if array is not None:
        position = array + 1
    row = 0
    is_whole = True
    while True:
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        if position == len(text):
            if in_array and is_whole:
                yield Element(row + 1, b"", refused=RowError("bad_json", "the array breaks off: its end is missing"))
            return
        if in_array and text[position] == "]":
            return
        row += 1
        end = _end_of_value(text, position)
        element = _element(row, text[position:end].encode("utf-8", "surrogateescape"), lines.max_row_bytes)
        is_whole = element.refused is None
        yield element
        position = end


def _wrapped_array(text: str, position: int) -> int | None:
    """Where the array of the object that begins here begins; None if it wraps none."""
    if not text.startswith("{", position):
        return None
    position += 1
    try:
        while True:
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
            if not text.startswith('"', position):
                return None
            name, position = _DECODER.raw_decode(text, position)
            position = re.compile(r"\s*:\s*").match(text, position).end()  # type: ignore[union-attr]
            if name in WRAPPERS and text.startswith("[", position):
                return position
            if name in WRAPPERS and (inner := _wrapped_array(text, position)) is not None:
                return inner
            _, position = _DECODER.raw_decode(text, position)
    except (ValueError, AttributeError, RecursionError):
        return None


def _end_of_value(text: str, position: int) -> int:
    """Where the value that begins here ends; if it is broken, where its brackets close or the next element begins."""
    try:
        return _DECODER.raw_decode(text, position)[1]
    except (ValueError, RecursionError):
        pass
    end = _closing_bracket(text, position)
    for found in islice(_NEXT_OBJECT.finditer(text, position, end), MAX_RESUMPTIONS):
        try:
            value, _ = _DECODER.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            continue
        if not _ELEMENT_FIELDS.isdisjoint(value):
            return found.end()
    return end


def _closing_bracket(text: str, position: int) -> int:
    depth = 0
    for found in _BRACKET.finditer(text, position):
        mark = found.group()
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
            if depth <= 0:
                # A bracket that closes what was never opened is no value's: it ends the one before, or stands alone.
                return found.start() if depth < 0 and found.start() > position else found.end()
        elif mark == "," and depth == 0:
            return found.start()
    return len(text)
