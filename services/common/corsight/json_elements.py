"""JSON reports, element by element, so that a broken one harms no neighbour.

Accepted: an array, an object that wraps one (``{"data": [...]}``), a single object, and newline-delimited objects.
A document is read through a window of a few rows' length and never held whole. The usual streaming parsers end at the
first fault; here it costs one element, which is kept as it was written.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, TypeVar

import msgspec

from services.common.corsight.chunks import CHUNK_BYTES, Chunk, Reject, RowError
from services.common.corsight.files import UnsupportedFileError, UnusableFileError
from services.common.corsight.lines import LineReader, refusal_of_break, warning_of_break

T = TypeVar("T")

WRAPPERS = frozenset({"data", "events", "insights", "appearances", "matches"})
"""Names under which a report keeps its array; they may be nested (``{"data": {"matches": [...]}}``)."""

MAX_RESUMPTIONS = 100
"""Places at which reading on is tried after an element whose brackets never close; each costs a parse."""

MAX_WRAPPERS = 8
"""How deep an array may be wrapped."""

_SPACE = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:\s*")
_TEXT_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]*+(?:\\.[^"\\]*+)*+")?|[\[\]{},]', re.DOTALL)
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
        told = False
        while True:
            chunk: Chunk[T] = Chunk()
            size = 0
            for element in islice(rest, chunk_rows):
                size += len(element.raw)
                source = f"{prefix}#{element.row}"
                try:
                    if element.refused:
                        raise element.refused
                    chunk.items.append(normalise(element.value, source=source))
                except RowError as refused:
                    chunk.rejects.append(Reject.of(refused, element.row, source, element.raw))
                if size >= CHUNK_BYTES:
                    break
            if not chunk.rows_total:
                return
            chunk.bytes_consumed = lines.bytes_consumed
            if lines.broken_off and not told:
                told = True
                chunk.warnings.append(warning_of_break(lines.broken_off))
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
        yield Element(lines.number + 1, b"", refused=refusal_of_break(lines.broken_off))


def _of_document(lines: LineReader) -> Iterator[Element]:
    window = _Window(lines)
    window.pass_space()
    is_wrapped = window.text.startswith("{", window.at)
    in_array = window.enter_array()
    row = 0
    is_whole = True
    while True:
        window.pass_space()
        if window.is_at_end:
            if lines.broken_off:
                yield Element(row + 1, b"", refused=refusal_of_break(lines.broken_off))
            elif in_array and is_whole:
                yield Element(row + 1, b"", refused=RowError("bad_json", "the array breaks off: its end is missing"))
            return
        if in_array and window.text[window.at] == "]":
            window.at += 1
            window.pass_space()
            in_array = window.enter_next_array() if is_wrapped else window.enter_array()
            if is_wrapped and not in_array:
                return
            continue
        row += 1
        element = window.take(row)
        is_whole = element.refused is None
        yield element


class _Window:
    """A stretch of the document, of which `at` is the next character to read.

    Wherever a value begins, more than the longest element that is taken lies in the window, or all that is left.
    """

    def __init__(self, lines: LineReader) -> None:
        self._lines = lines
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._is_last = False
        self.text = ""
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        return self._is_last and self.at == len(self.text)

    def pass_space(self) -> None:
        """To the next value."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self._is_last or len(self.text) - self.at > self._lines.max_row_bytes:
                return
            self._fill(self.text[self.at :])

    def enter_array(self) -> bool:
        """Step into the array that is here, or that the object here wraps; False, and stay, where there is none."""
        here = self.at
        for _ in range(MAX_WRAPPERS):
            if self.text.startswith("[", self.at):
                self.at += 1
                return True
            if not self.text.startswith("{", self.at) or not self._find_wrapped(self.at + 1):
                break
        self.at = here
        return False

    def enter_next_array(self) -> bool:
        """Step into another array that the object wraps, of which one ends here."""
        return self._find_wrapped(self.at) and self.enter_array()

    def take(self, row: int) -> Element:
        """The value that begins here; where it is broken, up to where its brackets close or the next element begins."""
        start, limit = self.at, self._lines.max_row_bytes
        try:
            value, self.at = _DECODER.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            raw = self._pass_broken(start)
            return _element(row, raw, limit)
        raw = self.text[start : self.at].encode("utf-8", "surrogateescape")
        return Element(row, raw, value) if raw.isascii() and len(raw) <= limit else _element(row, raw, limit)

    def _find_wrapped(self, at: int) -> bool:
        """To the next value that bears a wrapper's name in the object whose fields go on at `at`."""
        try:
            while True:
                at = _SPACE.match(self.text, at).end()  # type: ignore[union-attr]
                name, at = _DECODER.raw_decode(self.text, at)
                at = _COLON.match(self.text, at).end()  # type: ignore[union-attr]
                if name in WRAPPERS and self.text[at : at + 1] in ("[", "{"):
                    self.at = at
                    return True
                _, at = _DECODER.raw_decode(self.text, at)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return False

    def _pass_broken(self, start: int) -> bytes:
        """What of the text is to be refused in place of a value; of more than a row may have, a part."""
        brackets = _Brackets(self._is_last)
        end = brackets.feed(self.text, start)
        for found in islice(_NEXT_OBJECT.finditer(self.text, start, end or len(self.text)), MAX_RESUMPTIONS):
            try:
                value, _ = _DECODER.raw_decode(self.text, found.end())
            except (ValueError, RecursionError):
                continue
            if not _ELEMENT_FIELDS.isdisjoint(value):
                end = found.end()
                break
        raw = self.text[start : len(self.text) if end is None else end].encode("utf-8", "surrogateescape")
        while end is None and not self._is_last:
            # Longer than the window, which moves on to where it ends.
            self._fill(brackets.kept)
            brackets.is_last = self._is_last
            end = brackets.feed(self.text, 0)
        self.at = len(self.text) if end is None else end
        return raw[: self._lines.max_row_bytes + 1]

    def _fill(self, kept: str) -> None:
        block = self._lines.block()
        self._is_last = not block
        self.text = kept + self._decoder.decode(block, final=self._is_last)
        self.at = 0


class _Brackets:
    """Looks for where the brackets of a value close that comes in pieces; `kept` belongs before the next piece."""

    def __init__(self, is_last: bool) -> None:
        self.is_last = is_last
        self.kept = ""
        self._depth = 0
        self._in_text = False

    def feed(self, text: str, at: int) -> int | None:
        """Where the value ends; None if not in this piece."""
        self.kept = "\\" if (len(text) - len(text.rstrip("\\"))) % 2 and not self.is_last else ""
        limit = len(text) - len(self.kept)
        if self._in_text:
            ended = _TEXT_END.match(text, at, limit)
            if ended is None:
                return None
            at, self._in_text = ended.end(), False
        for found in _BRACKET.finditer(text, at, limit):
            mark = found.group()
            if mark in "[{":
                self._depth += 1
            elif mark in "]}":
                self._depth -= 1
                if self._depth <= 0:
                    # A bracket that closes what was never opened ends the value before it, or stands alone.
                    return found.start() if self._depth < 0 and found.start() > at else found.end()
            elif mark == "," and self._depth == 0:
                return found.start()
            elif mark == '"' and not self.is_last:
                self._in_text = True
                return None
        return None
