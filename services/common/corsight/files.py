"""What kind of file somebody uploaded, and its text line by line, whatever it is packed in."""

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast

from services.common.corsight.chunks import ReadLimits

HEAD_BYTES = 262_144
"""Of a file that `detect_kind` wants to see."""

_GZIP = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

_SIGNATURES = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (save it as CSV)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (save it as CSV)"),
    (b"PAR1", "a Parquet file"),
    (b"<", "HTML or XML"),
)

# Names of fields that only one of the two kinds of JSON has.
# fmt: off
_INSIGHT_FIELDS = frozenset({
    "insight_id", "insights", "insight_type", "insight_name", "kind", "loitering_duration", "save_insight_time",
    "generative_insight", "people_count", "crowd_count", "duration_seconds",
})
_APPEARANCE_FIELDS = frozenset({
    "appearances", "appearance_id", "appearance_data", "frame_data", "crop_data", "utc_time_ended",
    "utc_time_ended_readable", "utc_time_started_readable", "ended_at",
})
# fmt: on
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_INSIGHT_TYPE = re.compile(r'"event_type"\s*:\s*"[^"]*(?:crowd|loiter|insight)', re.IGNORECASE)
_APPEARANCE_TYPE = re.compile(r'"event_type"\s*:\s*"appearance"')
_JSON_NAME = re.compile(r'"([a-z_]+)"\s*:')


class FileError(Exception):
    """The file as a whole is not taken; `status` is the HTTP status that says so, the text says what was found."""

    status: int = 422


class UnsupportedFileError(FileError):
    """Neither CSV nor JSON."""

    status = 415


class UnusableFileError(FileError):
    """Empty, or without the columns that are needed."""

    status = 422


class FileTooLargeError(FileError):
    status = 413


@dataclass(frozen=True, slots=True)
class FileKind:
    kind: Literal["appearances", "insights"]
    format: Literal["csv", "json", "ndjson"]
    gzipped: bool = False


def detect_kind(head: bytes, file_name: str = "") -> FileKind:
    """Decide by the first `HEAD_BYTES`; the name only makes the refusal readable. Raises `FileError`."""
    name = f"“{file_name}”" if file_name else "the file"
    gzipped = head.startswith(_GZIP)
    text = _decoded_head(_unzipped_head(head, name) if gzipped else head, name)
    if not text.strip():
        raise UnusableFileError(f"{name} is empty")
    start = text.lstrip()
    if start[0] not in "{[":
        return FileKind("appearances", "csv", gzipped)

    names = set(_JSON_NAME.findall(text))
    is_insight = not names.isdisjoint(_INSIGHT_FIELDS) or _INSIGHT_TYPE.search(text) is not None
    is_appearance = not is_insight and (
        not names.isdisjoint(_APPEARANCE_FIELDS) or _APPEARANCE_TYPE.search(text) is not None
    )
    return FileKind("appearances" if is_appearance else "insights", _json_format(start), gzipped)


class LineReader:
    """The physical lines of a file as UTF-8 bytes, with their 1-based numbers.

    Unpacks gzip and transcodes UTF-16 on the way; holds one line at a time. A line above `max_row_bytes` comes cut
    (`is_overlong`). A packed stream that breaks off ends the lines and sets `broken_off` to the reason.
    """

    def __init__(self, file: BinaryIO, limits: ReadLimits) -> None:
        self._file = file
        self._limits = limits
        self._text: BinaryIO = _unpacked(file)
        self._read = 0
        self._returned: list[tuple[int, bytes]] = []
        self._number = 0
        self.broken_off: str | None = None

    @property
    def bytes_consumed(self) -> int:
        return self._file.tell()

    @property
    def number(self) -> int:
        """Of the last line that was read from the file."""
        return self._number

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> tuple[int, bytes] | None:
        """The next line with its end, or None after the last."""
        if self._returned:
            return self._returned.pop()
        line = self._readline(self._limits.max_row_bytes + 1)
        if not line:
            return None
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(_UTF8_BOM)
        if len(line) > self._limits.max_row_bytes:
            self._skip_to_line_end(line)
        return self._number, line

    def push_back(self, lines: list[tuple[int, bytes]]) -> None:
        """Read these again, in this order."""
        self._returned.extend(reversed(lines))

    @property
    def max_row_bytes(self) -> int:
        return self._limits.max_row_bytes

    def is_overlong(self, line: bytes) -> bool:
        return len(line) > self._limits.max_row_bytes

    def read_all(self) -> bytes:
        """The whole text, for a document that has no lines."""
        parts = []
        size = 0
        while part := self._readline(1 << 20):
            size += len(part)
            if size > self._limits.max_json_bytes:
                raise FileTooLargeError(
                    f"a JSON document may have {self._limits.max_json_bytes:,} bytes; "
                    "send larger reports as newline-delimited JSON"
                )
            parts.append(part)
        return b"".join(parts).removeprefix(_UTF8_BOM)

    def _skip_to_line_end(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._readline(1 << 16)

    def _readline(self, size: int) -> bytes:
        if self.broken_off:
            return b""
        try:
            line = self._text.readline(size)
        except (EOFError, OSError, zlib.error, UnicodeError) as error:
            self.broken_off = str(error)
            return b""
        self._read += len(line)
        if self._read > self._limits.max_bytes:
            raise FileTooLargeError(f"the unpacked file is larger than {self._limits.max_bytes:,} bytes")
        return line


class _Utf16AsUtf8(io.RawIOBase):
    """Transcodes while it reads, block by block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            block = self._file.read(8_192)
            self._ready = self._decoder.decode(block, final=not block).encode()
            if not block:
                break
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size


def _unpacked(file: BinaryIO) -> BinaryIO:
    start = file.tell()
    magic = file.read(2)
    file.seek(start)
    if magic == _GZIP:
        plain = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)))
        magic = plain.peek(2)[:2]
        file = plain
    return io.BufferedReader(_Utf16AsUtf8(file)) if magic in _UTF16_BOMS else file


def _unzipped_head(head: bytes, name: str) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error as error:
        raise UnsupportedFileError(f"{name} begins like gzip but cannot be unpacked: {error}") from None


def _decoded_head(head: bytes, name: str) -> str:
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise UnsupportedFileError(f"{name} is {what}, not CSV or JSON")
    if head.startswith(_UTF16_BOMS):
        return head.decode("utf-16", "replace")
    # Later lines are rows: a damaged one is refused alone.
    if _CONTROL.search(head.lstrip().partition(b"\n")[0]):
        raise UnsupportedFileError(f"{name} is binary, not CSV or JSON")
    return head.removeprefix(_UTF8_BOM).decode("utf-8", "replace")


def _json_format(text: str) -> Literal["json", "ndjson"]:
    """Newline-delimited where the first line, or the second after a broken one, is a whole object and not the last."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    if text[0] == "[" or len(lines) < 2:
        return "json"
    first, second = (line.strip() for line in lines)
    if _is_object(first) or (first[-1] not in "[{,:" and _is_object(second)):
        return "ndjson"
    return "json"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
