"""The header of a CSV file: its delimiter, its columns, and whether the first rows fit them."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.common.corsight.columns import MAX_COLUMNS, ColumnMap, map_columns
from services.common.corsight.files import UnsupportedFileError, UnusableFileError
from services.common.corsight.lines import LineReader
from services.common.corsight.shapes import (
    SAMPLE_ROWS,
    Mismatch,
    cut_ids,
    is_shifted,
    mismatches,
    rounded_epochs,
)

DELIMITERS = (",", ";", "\t")

_EXCEL_SAYS = re.compile(r"sep=(.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """`rounded` are the positions of epochs that a spreadsheet rounded; `mismatches` what does not fit its column."""

    delimiter: str
    names: Sequence[str]
    columns: ColumnMap
    mismatches: list[Mismatch] = field(default_factory=list)
    rounded: frozenset[int] = frozenset()

    @property
    def warnings(self) -> list[str]:
        return [*self.columns.warnings, *map(str, self.mismatches)]

    def check(self) -> None:
        """Raises `UnusableFileError` where columns are missing or shifted."""
        if self.columns.missing:
            found = ", ".join(name.strip() for name in self.names)
            raise UnusableFileError(f"columns are missing: {', '.join(self.columns.missing)}; found: {found[:2_000]}")
        if is_shifted(self.mismatches):
            report = "; ".join(map(str, self.mismatches[:10]))
            raise UnusableFileError(f"the columns are shifted against their headers: {report}")


def read_header(lines: LineReader) -> Header:
    """The delimiter under which the most columns are known, and these columns. Leaves the reader before the first row.

    Raises `FileError` where the first line is no header at all.
    """
    text = _first_line(lines)
    delimiters: Sequence[str] = DELIMITERS
    if said := _EXCEL_SAYS.fullmatch(text):
        delimiters = [said[1]] if said[1] in DELIMITERS else ()
        text = _first_line(lines)
    sample = _sample(lines)
    candidates = [found for delimiter in delimiters if (found := _read(text, delimiter, sample))]
    if not candidates:
        raise UnsupportedFileError("the first line cannot be read as a CSV header")
    return max(candidates, key=lambda header: (len(header.columns.fields), header.columns.width))


def fields_of(text: str, delimiter: str) -> list[str]:
    """The cells of one record. Raises `csv.Error` where it is none."""
    if '"' not in text and "\r" not in text and "\n" not in text:
        return text.split(delimiter)
    rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    if len(rows) != 1:
        raise csv.Error("more than one row")
    return rows[0]


def _first_line(lines: LineReader) -> str:
    raw = next((line for _, line in lines if line.strip()), b"")
    if lines.is_overlong(raw):
        raise UnusableFileError(f"the first line is longer than {lines.max_row_bytes:,} bytes: it is no header")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UnsupportedFileError(f"the first line is no UTF-8 text ({error.reason}): the file is no CSV") from None


def _sample(lines: LineReader) -> list[str]:
    """Some of the lines that follow, as far as they are text; the reader stays where it is."""
    following = [line for _, line in zip(range(SAMPLE_ROWS), lines, strict=False)]
    lines.push_back(following)
    texts = []
    for _, line in following:
        try:
            texts.append(line.rstrip(b"\r\n").decode())
        except UnicodeDecodeError:
            continue
    return [text for text in texts if text.strip()]


def _read(text: str, delimiter: str, sample: Sequence[str]) -> Header | None:
    if (width := text.count(delimiter) + 1) > MAX_COLUMNS:
        raise UnusableFileError(f"the header has {width:,} columns; a file may have {MAX_COLUMNS:,}")
    try:
        names = fields_of(text, delimiter)
    except csv.Error:
        return None
    rows = []
    for line in sample:
        try:
            rows.append(fields_of(line, delimiter))
        except csv.Error:
            continue
    widths = Counter(map(len, rows))
    columns = map_columns(names, widths.most_common(1)[0][0] if widths else None)
    rows = [row for row in rows if len(row) == columns.width]
    columns = _without_cut_key(columns, rows)
    rounded = rounded_epochs(columns, rows)
    columns.warnings.extend(
        f"the epochs of {name} were rounded by a spreadsheet and are not used; export the readable times"
        for name in rounded
    )
    return Header(delimiter, names, columns, mismatches(columns, rows), frozenset(rounded.values()))


def _without_cut_key(columns: ColumnMap, rows: Sequence[Sequence[str]]) -> ColumnMap:
    """Ids that a spreadsheet cut are the same for different things: as the key of an appearance they are not used."""
    for name in cut_ids(columns, rows):
        risk = "different ones may count as one"
        if name == "appearance_id":
            risk = "they do not tell appearances apart and are not used"
            columns = columns.without(name)
        columns.warnings.append(f"the ids in {name} are cut: {risk}")
    return columns
