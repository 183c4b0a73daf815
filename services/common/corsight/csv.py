"""A file of appearances → chunks of accepted appearances and of refusals.

Every line is checked before pandas sees it: silently, pandas would pad a short row, cut a field at a NUL and let one
quote swallow the rest of the file.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import chain
from typing import BinaryIO

import pandas as pd

from services.common.corsight.chunks import DEFAULT_LIMITS, Chunk, ReadLimits, Reject, RowError, RowRules
from services.common.corsight.columns import ColumnMap, map_columns
from services.common.corsight.event import appearance_of_json
from services.common.corsight.files import HEAD_BYTES, LineReader, UnsupportedFileError, UnusableFileError, detect_kind
from services.common.corsight.json_elements import read_elements
from services.common.corsight.rows import appearances_of
from services.common.events.appearances import Appearance

CHUNK_ROWS = 10_000

DELIMITERS = (",", ";", "\t")

CHUNK_BYTES = 16 << 20
"""A chunk ends early when its rows are this large together."""

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
) -> Iterator[Chunk[Appearance]]:
    """Read a CSV, JSON or NDJSON file of appearances, plain or gzipped, from where it stands.

    `source_prefix` is ``upload:<id>``; each item's source is it with ``#<row>``. A file that cannot be taken at all
    raises `FileError` at once; one that turns out too large, while the chunks are read.
    """
    start = binary_file.tell()
    kind = detect_kind(binary_file.read(HEAD_BYTES))
    binary_file.seek(start)
    rules = RowRules.of(limits, now, zone)
    lines = LineReader(binary_file, limits)
    if kind.format != "csv":
        normalise = partial(appearance_of_json, rules=rules)
        return read_elements(lines, kind.format, normalise, source_prefix, chunk_rows)
    return _read_csv(lines, source_prefix, rules, chunk_rows)


def _read_csv(lines: LineReader, prefix: str, rules: RowRules, chunk_rows: int) -> Iterator[Chunk[Appearance]]:
    delimiter, columns = _header(lines)
    scanner = _Scanner(lines, delimiter, columns.width, prefix)
    first = scanner.take(chunk_rows)
    if not first:
        raise UnusableFileError("the file has a header but no rows")

    def chunks() -> Iterator[Chunk[Appearance]]:
        warnings = columns.warnings
        batches = chain([first], iter(lambda: scanner.take(chunk_rows), None))
        for batch in batches:
            table = _table(batch.records, delimiter, columns.width)
            items, rejects = appearances_of(
                table, lines=batch.lines, raw=batch.records, columns=columns, prefix=prefix, rules=rules
            )
            rejects = sorted(batch.rejects + rejects, key=lambda reject: reject.row)
            yield Chunk(items, rejects, bytes_consumed=lines.bytes_consumed, warnings=warnings)
            warnings = []

    return chunks()


def _header(lines: LineReader) -> tuple[str, ColumnMap]:
    """The delimiter under which the most columns are known, and these columns."""
    raw = next((line for _, line in lines if line.strip()), b"")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UnsupportedFileError(f"the first line is no UTF-8 text ({error.reason}): the file is no CSV") from None
    candidates = []
    for delimiter in DELIMITERS:
        try:
            candidates.append((delimiter, map_columns(_fields(text, delimiter))))
        except csv.Error:
            continue
    if not candidates:
        raise UnsupportedFileError("the first line cannot be read as a CSV header")
    delimiter, columns = max(candidates, key=lambda candidate: (len(candidate[1].fields), candidate[1].width))
    if columns.missing:
        found = ", ".join(name.strip() for name in _fields(text, delimiter))
        raise UnusableFileError(f"columns are missing: {', '.join(columns.missing)}; found: {found[:2_000]}")
    return delimiter, columns


@dataclass(slots=True)
class _Batch:
    """Records of the right shape with the numbers of their first lines, and what was refused between them."""

    lines: list[int] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records) + len(self.rejects)


class _Scanner:
    """Cuts lines into records and keeps back whatever is none, so that it harms no neighbour."""

    def __init__(self, lines: LineReader, delimiter: str, width: int, prefix: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._separator = delimiter.encode()
        # A well-formed quoted cell on one line. The quote comes before the look behind it: re seeks literals fast.
        cell = rb'"(?<![^%b]")[^"\r\n]*(?:""[^"\r\n]*)*"(?=%b|$)' % ((re.escape(self._separator),) * 2)
        self._quoted_cell = re.compile(cell)
        self._width = width
        self._prefix = prefix
        self._told_break = False

    def take(self, count: int) -> _Batch | None:
        """The next `count` rows, or fewer when they are long; None after the last."""
        batch = _Batch()
        size = 0
        while len(batch) < count and size < CHUNK_BYTES:
            if (line := self._lines.next()) is None:
                self._tell_break(batch)
                break
            number, raw = line
            record = raw.rstrip(b"\r\n")
            size += len(record)
            if self._is_plain(record):
                batch.records.append(record)
                batch.lines.append(number)
                continue
            if not record.strip(b" \r"):
                continue
            try:
                batch.records.append(self._checked(record, raw))
                batch.lines.append(number)
            except RowError as refused:
                batch.rejects.append(Reject.of(refused, number, f"{self._prefix}#{number}", record))
        return batch if batch else None

    def _is_plain(self, record: bytes) -> bool:
        """The short way for what most files hold only: the right number of unquoted ASCII cells."""
        return (
            record.count(self._separator) == self._width - 1
            and record.isascii()
            and not (b'"' in record or b"\r" in record or b"\0" in record)
            and len(record) <= self._lines.max_row_bytes
        )

    def _checked(self, record: bytes, raw: bytes) -> bytes:
        """The record, with the lines that belong to it. Raises `RowError`."""
        if self._lines.is_overlong(raw):
            raise RowError("too_large", f"the row is longer than {self._lines.max_row_bytes:,} bytes")
        try:
            self._check(record)
        except _OpenQuoteError:
            return self._joined(raw)
        return record

    def _joined(self, raw: bytes) -> bytes:
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
                self._check(record)
            except _OpenQuoteError:
                continue
            except RowError:
                break
            return record
        self._lines.push_back(following)
        raise RowError("wrong_field_count", "a quote is opened and never closed")

    def _check(self, record: bytes) -> None:
        if b"\0" in record:
            raise RowError("bad_encoding", "the row holds NUL bytes")
        if not record.isascii():
            try:
                record.decode()
            except UnicodeDecodeError as error:
                wrong = record[error.start]
                raise RowError("bad_encoding", f"byte 0x{wrong:02x} at {error.start + 1} is no UTF-8") from None
        count = self._count(record)
        if count != self._width:
            raise RowError("wrong_field_count", f"{count} fields where the header has {self._width}")

    def _count(self, record: bytes) -> int:
        unquoted = self._quoted_cell.sub(b"", record)
        if b'"' not in unquoted and b"\r" not in unquoted:
            return unquoted.count(self._separator) + 1
        try:
            return len(_fields(record.decode(), self._delimiter))
        except csv.Error as error:
            what = str(error)
        if what == "unexpected end of data":
            raise _OpenQuoteError
        if what.startswith("field larger"):
            raise RowError("too_large", what)
        raise RowError("wrong_field_count", f"the quoting is broken: {what}")

    def _tell_break(self, batch: _Batch) -> None:
        """A packed file that breaks off loses rows that nobody can count: one refusal says so."""
        if self._lines.broken_off is None or self._told_break:
            return
        self._told_break = True
        row = self._lines.number + 1
        refused = RowError("bad_encoding", f"the packed file breaks off here: {self._lines.broken_off}")
        batch.rejects.append(Reject.of(refused, row, f"{self._prefix}#{row}", b""))


class _OpenQuoteError(Exception):
    """The line ends within a quoted field."""


def _fields(text: str, delimiter: str) -> list[str]:
    rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    if len(rows) != 1:
        raise csv.Error("more than one row")
    return rows[0]


def _table(records: list[bytes], delimiter: str, width: int) -> pd.DataFrame:
    """The records' texts, untouched: nothing is inferred, and nothing but an empty cell is empty."""
    if not records:
        return pd.DataFrame({position: pd.Series([], dtype=str) for position in range(width)})
    return pd.read_csv(
        io.BytesIO(b"\n".join(records)),
        sep=delimiter,
        header=None,
        names=range(width),
        index_col=False,
        dtype=str,
        keep_default_na=False,
        na_filter=False,
        skip_blank_lines=False,
        low_memory=False,
    )
