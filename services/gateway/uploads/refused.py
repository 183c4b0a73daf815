"""One refused row by itself: split as its file is, corrected, and read once more."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeAlias

from services.common.corsight.chunks import DEFAULT_LIMITS, RowError, RowRules, is_kept
from services.common.corsight.columns import ColumnMap, normalise_header
from services.common.corsight.event import appearance_of_json, normalise_event
from services.common.corsight.files import HEAD_BYTES, detect_kind
from services.common.corsight.header import fields_of, read_header
from services.common.corsight.insight_report import insight_of
from services.common.corsight.json_elements import check_storable
from services.common.corsight.lines import LineReader
from services.common.corsight.rows import appearance_of, text_of
from services.common.corsight.shapes import as_shown
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent

Fact: TypeAlias = Appearance | InsightEvent

WHOLE_ROW = "raw"
"""Names the row itself where a field is asked for."""


class RowReader(Protocol):
    """Reads rows of one origin. Both methods raise `RowError`."""

    def replaced(self, raw: bytes, field: str, find: str, replace: str) -> bytes:
        """The row with every `find` in the field replaced; an empty `find` fills a blank field."""

    def read(self, raw: bytes, source: str, rules: RowRules) -> Fact:
        """The fact that the row tells of."""


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Rows of a file with these columns; `rounded` are the positions of epochs that a spreadsheet rounded."""

    header: tuple[str, ...]
    delimiter: str
    columns: ColumnMap
    rounded: frozenset[int] = frozenset()

    def cells(self, raw: bytes) -> list[str]:
        """One for each column of the header. Raises `RowError`."""
        if b"\0" in raw:
            raise RowError("bad_encoding", "the row holds NUL bytes")
        text = _decoded(raw)
        try:
            cells = fields_of(text, self.delimiter)
        except csv.Error as error:
            raise RowError("wrong_field_count", f"the quoting is broken: {error}") from None
        if len(cells) != len(self.header):
            raise RowError("wrong_field_count", f"{len(cells)} fields where the header has {len(self.header)}")
        return cells

    def replaced(self, raw: bytes, field: str, find: str, replace: str) -> bytes:
        position = self._position(field)
        if position is None and field == WHOLE_ROW:
            return _replaced(_decoded(raw), find, replace).encode()
        if position is None:
            raise RowError("schema_violation", f"the file has no column {field}")
        cells = self.cells(raw)
        cells[position] = _replaced(cells[position], find, replace)
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return line.getvalue().encode()

    def _position(self, field: str) -> int | None:
        name = normalise_header(field)
        names = [normalise_header(cell) for cell in self.header]
        return names.index(name) if name in names else self.columns.fields.get(name)

    def read(self, raw: bytes, source: str, rules: RowRules) -> Appearance:
        cells = self.cells(raw)
        for position in self.rounded:
            cells[position] = as_shown(cells[position])
        fields = {name: cells[position] for name, position in self.columns.fields.items()}
        extra = {
            name: cells[position] for position, name in self.columns.extra.items() if is_kept(name, cells[position])
        }
        return appearance_of(fields, extra=extra, source=source, rules=rules)


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Elements of a report, or events."""

    normalise: Callable[..., Fact]

    def replaced(self, raw: bytes, field: str, find: str, replace: str) -> bytes:
        if field == WHOLE_ROW:
            return _replaced(_decoded(raw), find, replace).encode()
        element = _element(raw)
        check_storable(element)
        *path, name = field.split(".")
        parent = element
        for step in path:
            parent = parent.get(step) if isinstance(parent, dict) else None
        if not isinstance(parent, dict):
            raise RowError("schema_violation", f"the element has no field {field}")
        value = parent.get(name)
        if isinstance(value, dict | list | bool):
            raise RowError("schema_violation", f"{field} is neither text nor a number")
        text = "" if value is None else str(value)
        if (corrected := _replaced(text, find, replace)) != text:
            parent[name] = corrected
        return json.dumps(element).encode()

    def read(self, raw: bytes, source: str, rules: RowRules) -> Fact:
        return self.normalise(_element(raw), source=source, rules=rules)


EVENTS = JsonRows(normalise_event)
"""What a connector of Corsight was sent."""


def rows_of(file: BinaryIO) -> CsvRows | JsonRows:
    """How the rows of an uploaded file are read. Raises `FileError`."""
    kind = detect_kind(file.read(HEAD_BYTES))
    file.seek(0)
    if kind.format != "csv":
        return JsonRows(insight_of if kind.kind == "insights" else appearance_of_json)
    header = read_header(LineReader(file, kind, DEFAULT_LIMITS))
    columns = header.columns
    # Fused names are taken apart where the rows have a cell for each.
    names = header.names if len(header.names) == columns.width else [column.name for column in columns.columns]
    return CsvRows(tuple(names), header.delimiter, columns, header.rounded)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RowError("bad_encoding", f"byte 0x{raw[error.start]:02x} at {error.start + 1} is no UTF-8") from None


def _element(raw: bytes) -> Any:
    text = _decoded(raw)
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise RowError("bad_json", str(error)) from None


def _replaced(text: str, find: str, replace: str) -> str:
    if find:
        return text.replace(find, replace)
    return replace if text_of(text) is None else text
