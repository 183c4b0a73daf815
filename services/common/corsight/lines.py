"""The text of a file as UTF-8, block by block and line by line, whatever it is packed and written in."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from services.common.corsight.chunks import Place, ReadLimits, RowError
from services.common.corsight.files import UTF8_BOM, FileKind, FileTooLargeError

BLOCK_BYTES = 1 << 20

# What cannot be decoded becomes bytes that are no UTF-8, so that the row that holds it is refused and no other.
_DAMAGED = {"utf-16": "surrogatepass", "utf-16-le": "surrogatepass", "utf-16-be": "surrogatepass"}


def warning_of_break(reason: str) -> str:
    """For the upload as a whole: how much is missing, nobody knows."""
    return f"the packed file breaks off ({reason}): what it held behind that is missing"


def refusal_of_break(reason: str) -> RowError:
    """In place of the rows that are missing, which nobody can count."""
    return RowError("bad_encoding", f"the packed file breaks off here: {reason}")


class LineReader:
    """The physical lines of a file as UTF-8 bytes, with their 1-based numbers; or its blocks, for what has no lines.

    Holds a block and a line at a time. A line above `max_row_bytes` comes cut (`is_overlong`), and is passed over only
    when the next one is asked for. A packed stream that breaks off ends the lines and sets `broken_off` to the reason.
    Raises `FileTooLargeError` where the unpacked text goes beyond the limit.
    """

    def __init__(self, file: BinaryIO, kind: FileKind, limits: ReadLimits) -> None:
        self._file = file
        self._limits = limits
        self._packed = gzip.GzipFile(fileobj=file) if kind.gzipped else None
        self._decoder = None
        if kind.encoding != "utf-8":
            errors = _DAMAGED.get(kind.encoding, "surrogateescape")
            self._decoder = codecs.getincrementaldecoder(kind.encoding)(errors)
            self._encoding_errors = errors
        self._read = 0
        self._begun = self._ended = self._within_overlong = False
        self._rest = b""
        self._ready: list[bytes] = []
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

    @property
    def place(self) -> Place | None:
        """Behind the last line that was given out; None where the file cannot be entered there."""
        waiting = [line for _, line in self._returned] + self._ready
        if self._packed or self._decoder or self._within_overlong or any(map(self.is_overlong, waiting)):
            return None
        row = self._returned[-1][0] - 1 if self._returned else self._number
        return Place(row, self._file.tell() - len(self._rest) - sum(map(len, waiting)))

    def go_on_behind(self, place: Place) -> None:
        self._read = self._file.seek(place.offset)
        self._number = place.row
        self._begun, self._ended, self._within_overlong = True, False, False
        self._rest = b""
        self._ready.clear()
        self._returned.clear()

    @property
    def max_row_bytes(self) -> int:
        return self._limits.max_row_bytes

    def is_overlong(self, line: bytes) -> bool:
        return len(line) > self._limits.max_row_bytes

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> tuple[int, bytes] | None:
        """The next line with its end, or None after the last."""
        if self._returned:
            return self._returned.pop()
        while not self._ready:
            if self._ended:
                return None
            self._fill()
        self._number += 1
        return self._number, self._ready.pop()

    def take(self, count: int) -> tuple[int, list[bytes]]:
        """The number of the next line, and so many lines that lie ready: at most `count`, none where none do."""
        if self._returned or not self._ready:
            return self._number + 1, []
        taken = self._ready[: -count - 1 : -1]
        del self._ready[-count:]
        first = self._number + 1
        self._number += len(taken)
        return first, taken

    def push_back(self, lines: list[tuple[int, bytes]]) -> None:
        """Read these again, in this order."""
        self._returned.extend(reversed(lines))

    def block(self) -> bytes:
        """The next piece of the text; empty after the last."""
        while not self._ended:
            if text := self._decoded(self._plain()):
                self._read += len(text)
                if self._read > self._limits.max_bytes:
                    raise FileTooLargeError(f"the unpacked file is larger than {self._limits.max_bytes:,} bytes")
                if not self._begun:
                    self._begun = True
                    text = text.removeprefix(UTF8_BOM)
                return text
        return b""

    def _fill(self) -> None:
        limit = self._limits.max_row_bytes
        block = self.block()
        if self._within_overlong:
            end = block.find(b"\n")
            block, self._within_overlong = block[end + 1 :] if end >= 0 else b"", end < 0
        lines = io.BytesIO(self._rest + block).readlines()
        self._rest = b""
        if lines and not lines[-1].endswith(b"\n") and not self._ended:
            self._rest = lines.pop()
            if len(self._rest) > limit:
                lines.append(self._rest)
                self._rest, self._within_overlong = b"", True
        if lines and max(map(len, lines)) > limit:
            lines = [line if len(line) <= limit else line[: limit + 1] for line in lines]
        lines.reverse()
        self._ready = lines

    def _plain(self) -> bytes:
        try:
            plain = self._packed.read1(BLOCK_BYTES) if self._packed else self._file.read(BLOCK_BYTES)
        except (EOFError, OSError, zlib.error) as error:
            self._break_off(error)
            return b""
        self._ended = not plain
        return plain

    def _decoded(self, plain: bytes) -> bytes:
        if self._decoder is None:
            return plain
        try:
            return self._decoder.decode(plain, final=self._ended).encode("utf-8", self._encoding_errors)
        except UnicodeError as error:
            self._break_off(error)
            return b""

    def _break_off(self, error: Exception) -> None:
        self._ended = True
        self.broken_off = str(error)
