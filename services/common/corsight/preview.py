"""What would become of a file, from its first bytes; nothing is kept."""

import io
from dataclasses import replace as with_fields
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.common.corsight.chunks import DEFAULT_LIMITS, Chunk, ReadLimits, RowRules
from services.common.corsight.columns import How
from services.common.corsight.csv import NO_ROWS, read_rows
from services.common.corsight.event import appearance_of_json
from services.common.corsight.files import HEAD_BYTES, FileError, FileKind, detect_kind
from services.common.corsight.header import read_header
from services.common.corsight.insight_report import insight_of
from services.common.corsight.json_elements import read_elements
from services.common.corsight.lines import LineReader
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.lanes import is_forensic, recorded_warning

PREVIEW_BYTES = 512 << 10
PREVIEW_ROWS = 50

MAX_TEXT_BYTES = 4 << 20
"""Of the text that is unpacked from the first bytes: a packed file may be made to have much of it."""


NOWHERE = timezone(-timedelta(hours=23))
"""A zone in which no clock stands: times that name none read otherwise in it than in any other."""


class PreviewColumn(Struct, frozen=True, kw_only=True):
    """`position` is 1-based; `confidence` is that in `field` or in there being none, 0 where the values do not fit."""

    position: int
    header: str
    field: str | None
    confidence: float
    how: How


class PreviewRow(Struct, frozen=True, kw_only=True):
    """Either the normalised `item` or why the row would be refused. `line` is the place of an element in an array."""

    line: int
    reason_code: str | None = None
    reason: str | None = None
    item: dict[str, Any] | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    status: int
    detail: str


class Preview(Struct, frozen=True, kw_only=True):
    """`kind`, `format` and `encoding` are None for a file that is neither CSV nor JSON.

    `zone_matters` unless the rows are the same in every zone, because their times name one or are epochs.
    """

    kind: str | None = None
    format: str | None = None
    gzipped: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    columns: list[PreviewColumn] = []
    missing: list[str] = []
    refusal: Refusal | None = None
    rows: list[PreviewRow] = []
    zone_matters: bool = False
    warnings: list[str] = []


def preview(
    head: bytes,
    *,
    truncated: bool,
    file_name: str = "",
    zone: tzinfo = UTC,
    now: datetime,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Preview:
    """Read the file's first bytes as an upload would read it; `truncated` says that there are more of them.

    Never raises for what a file holds: a file that would not be taken has a `refusal`.
    """
    truncated = truncated or len(head) > PREVIEW_BYTES
    head = head[:PREVIEW_BYTES]
    read = partial(_read, head, truncated=truncated, file_name=file_name, limits=limits)
    found = read(RowRules.of(limits, now, zone))
    rows = found.rows
    is_told = any(row.item for row in rows) and rows == read(RowRules.of(limits, now, NOWHERE)).rows
    warnings = found.warnings + _warnings(rows)
    return replace(found, zone_matters=bool(rows) and not is_told, warnings=warnings)


def _warnings(rows: list[PreviewRow]) -> list[str]:
    recorded = sum(is_forensic(row.item.get("extra", {})) for row in rows if row.item)
    return [recorded_warning(recorded, len(rows))] if recorded else []


def _read(head: bytes, rules: RowRules, *, truncated: bool, file_name: str, limits: ReadLimits) -> Preview:
    try:
        kind = detect_kind(head[:HEAD_BYTES], file_name)
    except FileError as error:
        return Preview(refusal=_refusal(error))
    known = Preview(kind=kind.kind, format=kind.format, gzipped=kind.gzipped, encoding=kind.encoding)
    try:
        lines, is_cut = _lines(head, kind, truncated, limits)
        if kind.format == "csv":
            return _of_csv(known, lines, is_cut, rules)
        normalise = partial(insight_of if kind.kind == "insights" else appearance_of_json, rules=rules)
        chunk: Chunk[Any] = next(read_elements(lines, kind.format, normalise, "", PREVIEW_ROWS + 1))
    except FileError as error:
        return replace(known, refusal=_refusal(error))
    rows = _rows(chunk)
    # The element in which the first bytes end is broken here and nowhere else.
    is_torn = is_cut and rows[-1].reason_code == "bad_json"
    return replace(known, rows=(rows[:-1] if is_torn else rows)[:PREVIEW_ROWS])


def _of_csv(known: Preview, lines: LineReader, is_cut: bool, rules: RowRules) -> Preview:
    header = read_header(lines)
    doubted = {mismatch.position for mismatch in header.mismatches}
    columns = [
        PreviewColumn(
            position=column.position,
            header=column.header.strip(),
            field=column.field,
            confidence=0.0 if column.position in doubted else column.confidence,
            how=column.how,
        )
        for column in header.columns.columns
    ]
    known = replace(
        known,
        delimiter=header.delimiter,
        columns=columns,
        missing=header.columns.missing,
        warnings=header.warnings,
    )
    try:
        header.check()
    except FileError as error:
        return replace(known, refusal=_refusal(error))
    chunk = next(read_rows(lines, header, "", rules, PREVIEW_ROWS), None)
    if chunk is None and not is_cut:
        return replace(known, refusal=Refusal(status=422, detail=NO_ROWS))
    return replace(known, rows=_rows(chunk) if chunk else [])


def _lines(head: bytes, kind: FileKind, truncated: bool, limits: ReadLimits) -> tuple[LineReader, bool]:
    """The text of the first bytes, without the line in which they end, and whether the file goes on."""
    packed = LineReader(io.BytesIO(head), kind, limits)
    text = b""
    while len(text) < MAX_TEXT_BYTES and (block := packed.block()):
        text += block
    is_cut = truncated or len(text) >= MAX_TEXT_BYTES
    if is_cut and kind.format != "json":
        text = text[: text.rfind(b"\n") + 1] or text
    return LineReader(io.BytesIO(text), with_fields(kind, gzipped=False, encoding="utf-8"), limits), is_cut


def _rows(chunk: Chunk[Any]) -> list[PreviewRow]:
    rows = [PreviewRow(line=_line(item.source), item=_shown(item)) for item in chunk.items]
    rows += [
        PreviewRow(line=reject.row, reason_code=reject.reason_code, reason=reject.reason) for reject in chunk.rejects
    ]
    return sorted(rows, key=lambda row: row.line)


def _line(source: str) -> int:
    return int(source.rpartition("#")[2])


def _shown(item: Appearance | InsightEvent) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(item)
    del shown["source"]
    return shown


def _refusal(error: FileError) -> Refusal:
    return Refusal(status=error.status, detail=str(error))
