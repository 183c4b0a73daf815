"""A file of appearances → chunks of accepted appearances and of refusals.

Every line is cut into cells by itself: read as a whole, a file has its short rows padded, its fields cut at a NUL, and
one open quote swallows the rest of it. What follows works on columns.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import BinaryIO

from services.common.corsight.chunks import (
    CHUNK_BYTES,
    DEFAULT_LIMITS,
    Chunk,
    Place,
    ReadLimits,
    Reject,
    RowError,
    RowRules,
    put_back,
)
from services.common.corsight.event import appearance_of_json
from services.common.corsight.files import HEAD_BYTES, UnusableFileError, detect_kind
from services.common.corsight.header import Header, fields_of, read_header
from services.common.corsight.json_elements import read_elements
from services.common.corsight.lines import LineReader, refusal_of_break, warning_of_break
from services.common.corsight.shapes import as_shown
from services.common.corsight.table import appearances_of
from services.common.events.appearances import Appearance

CHUNK_ROWS = 10_000

NO_ROWS = "the file has a header but no rows"

BULK_LINES = 500
"""Lines that are cut into cells together; one that is no plain row has all of them cut one by one."""

_QUOTED = "\0"
"""Stands for a quoted cell while its row is cut; nothing else can hold NUL there."""

MAX_RECORD_LINES = 100
"""A quoted field that runs over more lines than this was never closed."""


def read_appearances(
    binary_file: BinaryIO,
    *,
    source_prefix: str,
    now: datetime,
    zone: tzinfo = UTC,
    chunk_rows: int = CHUNK_ROWS,
    limits: ReadLimits = DEFAULT_LIMITS,
    behind: Place | None = None,
) -> Iterator[Chunk[Appearance]]:
    """Read a CSV, JSON or NDJSON file of appearances, plain or gzipped, from where it stands, or what lies `behind`.

    `source_prefix` is ``upload:<id>``; each item's source is it with ``#<row>``. A file that cannot be taken at all
    raises `FileError` at once; one that turns out too large, while the chunks are read.
    """
    start = binary_file.tell()
    kind = detect_kind(binary_file.read(HEAD_BYTES))
    binary_file.seek(start)
    rules = RowRules.of(limits, now, zone)
    lines = LineReader(binary_file, kind, limits)
    if kind.format != "csv":
        normalise = partial(appearance_of_json, rules=rules)
        return read_elements(lines, kind.format, normalise, source_prefix, chunk_rows)
    return _read_csv(lines, source_prefix, rules, chunk_rows, behind)


def _read_csv(
    lines: LineReader, prefix: str, rules: RowRules, chunk_rows: int, behind: Place | None
) -> Iterator[Chunk[Appearance]]:
    header = read_header(lines)
    header.check()
    if behind is not None:
        lines.go_on_behind(behind)
        return read_rows(lines, header, prefix, rules, chunk_rows)
    chunks = read_rows(lines, header, prefix, rules, chunk_rows)
    first = next(chunks, None)
    if first is None:
        raise UnusableFileError(NO_ROWS)
    return put_back(first, chunks)


def read_rows(
    lines: LineReader, header: Header, prefix: str, rules: RowRules, chunk_rows: int
) -> Iterator[Chunk[Appearance]]:
    """What follows the header, which has been checked."""
    scanner = _Scanner(lines, header, prefix)
    warnings = header.warnings

    def read() -> Chunk[Appearance] | None:
        batch = scanner.take(chunk_rows)
        if batch is None:
            return None
        items, rejects = appearances_of(
            batch.columns(header),
            lines=batch.lines,
            raw=batch.records,
            columns=header.columns,
            prefix=prefix,
            rules=rules,
        )
        rejects = sorted(batch.rejects + rejects, key=lambda reject: reject.row)
        told, warnings[:] = warnings + batch.warnings, []
        return Chunk(items, rejects, lines.bytes_consumed, told, lines.place)

    # A generator would hold each batch and chunk while it makes the next.
    return iter(read, None)


class _Batch:
    """Records of the right shape with the numbers of their first lines, and what was refused between them.

    Cells are kept by column: ten thousand lists of rows would have the garbage collector look at all of them again and
    again, which takes longer than all the rest.
    """

    def __init__(self, width: int) -> None:
        self.lines: list[int] = []
        self.records: list[bytes] = []
        self.cells: list[list[str]] = [[] for _ in range(width)]
        self.rejects: list[Reject] = []
        self.warnings: list[str] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self.records) + len(self.rejects)

    def columns(self, header: Header) -> list[list[str]]:
        """The columns of the file. Epochs that a spreadsheet rounded are written so that nobody takes them."""
        columns = list(self.cells)
        for position in header.rounded:
            columns[position] = [as_shown(text) for text in columns[position]]
        return columns


class _Scanner:
    """Cuts lines into records and keeps back whatever is none, so that it harms no neighbour."""

    def __init__(self, lines: LineReader, header: Header, prefix: str) -> None:
        self._lines = lines
        self._delimiter = header.delimiter
        # A quoted cell on one line. The quote comes before the look behind it: re seeks literals fast.
        cell = r'"(?<![^%s\n]")([^"\n]*+(?:""[^"\n]*+)*+)"(?=%s|\n|\Z)' % ((header.delimiter,) * 2)
        self._quoted_cell = re.compile(cell)
        self._width = header.columns.width
        self._prefix = prefix
        self._told_break = False

    def take(self, count: int) -> _Batch | None:
        """The next `count` rows, or fewer when they are long; None after the last."""
        batch = _Batch(self._width)
        while len(batch) < count and batch.size < CHUNK_BYTES:
            first, lines = self._lines.take(min(BULK_LINES, count - len(batch)))
            if self._add_bulk(first, lines, batch):
                continue
            self._lines.push_back(list(enumerate(lines, first)))
            for _ in range(len(lines) or 1):
                if len(batch) == count:
                    break
                if (line := self._lines.next()) is None:
                    self._tell_break(batch)
                    return batch if batch else None
                self._add(*line, batch)
        return batch

    def _add_bulk(self, first: int, lines: list[bytes], batch: _Batch) -> bool:
        """Add the lines, if each is blank or a row and nothing else; this is what most files are made of."""
        joined = b"".join(lines)
        if lines and not joined.strip(b" \r\n"):
            return True
        if not lines or b"\0" in joined or self._lines.is_overlong(max(lines, key=len)):
            return False
        numbers: Sequence[int] = range(first, first + len(lines))
        records = [line.rstrip(b"\r\n") for line in lines]
        if not all(records):
            numbers = [number for number, record in zip(numbers, records, strict=True) if record]
            records = [record for record in records if record]
        try:
            columns = self._columns_of(b"\n".join(records).decode())
        except (UnicodeDecodeError, csv.Error):
            return False
        # Fewer rows than lines: a quoted field runs over lines, or a quote was never closed.
        if len(columns) != self._width or len(columns[0]) != len(records):
            return False
        batch.size += len(joined)
        batch.lines += numbers
        batch.records += records
        for column, values in zip(batch.cells, columns, strict=True):
            column += values
        return True

    def _columns_of(self, text: str) -> list[Sequence[str]]:
        """The columns of the lines; none where they differ in width. Raises `csv.Error`."""
        plain = self._quoted_cell.sub(_QUOTED, text) if '"' in text else text
        if '"' not in plain and "\r" not in plain:
            columns = _transposed([line.split(self._delimiter) for line in plain.split("\n")])
            if plain is text or _fill(columns, self._quoted_cell.findall(text)):
                return columns
        return _transposed(list(csv.reader(text.split("\n"), delimiter=self._delimiter, strict=True)))

    def _add(self, number: int, raw: bytes, batch: _Batch) -> None:
        record = raw.rstrip(b"\r\n")
        if not record.strip(b" \r"):
            return
        batch.size += len(record)
        try:
            record, cells = self._read(record, raw)
        except RowError as refused:
            batch.rejects.append(Reject.of(refused, number, f"{self._prefix}#{number}", record))
            return
        batch.records.append(record)
        for column, value in zip(batch.cells, cells, strict=True):
            column.append(value)
        batch.lines.append(number)

    def _read(self, record: bytes, raw: bytes) -> tuple[bytes, list[str]]:
        """The record, with the lines that belong to it, and its cells. Raises `RowError`."""
        if self._lines.is_overlong(raw):
            raise RowError("too_large", f"the row is longer than {self._lines.max_row_bytes:,} bytes")
        try:
            return record, self._cells(record)
        except _OpenQuoteError:
            return self._joined(raw)

    def _joined(self, raw: bytes) -> tuple[bytes, list[str]]:
        """The record that a quoted line break spreads over lines. Where none comes of it, the lines are given back."""
        following: list[tuple[int, bytes]] = []
        joined = raw
        while len(following) < MAX_RECORD_LINES and (line := self._lines.next()) is not None:
            following.append(line)
            joined += line[1]
            if len(joined) > self._lines.max_row_bytes:
                break
            if b'"' not in line[1]:
                continue
            record = joined.rstrip(b"\r\n")
            try:
                return record, self._cells(record)
            except _OpenQuoteError:
                continue
            except RowError:
                break
        self._lines.push_back(following)
        raise RowError("wrong_field_count", "a quote is opened and never closed")

    def _cells(self, record: bytes) -> list[str]:
        if b"\0" in record:
            raise RowError("bad_encoding", "the row holds NUL bytes")
        try:
            text = record.decode()
        except UnicodeDecodeError as error:
            wrong = record[error.start]
            raise RowError("bad_encoding", f"byte 0x{wrong:02x} at {error.start + 1} is no UTF-8") from None
        try:
            cells = fields_of(text, self._delimiter)
        except csv.Error as error:
            what = str(error)
            if what == "unexpected end of data":
                raise _OpenQuoteError from None
            if what.startswith("field larger"):
                raise RowError("too_large", what) from None
            raise RowError("wrong_field_count", f"the quoting is broken: {what}") from None
        if len(cells) != self._width:
            raise RowError("wrong_field_count", f"{len(cells)} fields where the header has {self._width}")
        return cells

    def _tell_break(self, batch: _Batch) -> None:
        if self._lines.broken_off is None or self._told_break:
            return
        self._told_break = True
        row = self._lines.number + 1
        refused = refusal_of_break(self._lines.broken_off)
        batch.rejects.append(Reject.of(refused, row, f"{self._prefix}#{row}", b""))
        batch.warnings.append(warning_of_break(self._lines.broken_off))


def _transposed(rows: list[list[str]]) -> list[Sequence[str]]:
    return list(zip(*rows, strict=True)) if len(set(map(len, rows))) == 1 else []


def _fill(columns: list[Sequence[str]], quoted: list[str]) -> bool:
    """Put the quoted cells where they were taken from, if those are whole columns, as a writer of exports has them."""
    places = [place for place, column in enumerate(columns) if column[0] == _QUOTED]
    if len(quoted) != sum(columns[place].count(_QUOTED) for place in places):
        return False
    if any(set(columns[place]) != {_QUOTED} for place in places):
        return False
    for turn, place in enumerate(places):
        columns[place] = [cell.replace('""', '"') for cell in quoted[turn :: len(places)]]
    return True


class _OpenQuoteError(Exception):
    """The line ends within a quoted field."""
