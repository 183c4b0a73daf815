"""The refused rows of one upload as CSV: as they stood in the file, each with its reason and what to do about it."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import asyncpg

from services.common.corsight.chunks import MAX_RAW_BYTES, RowError
from services.common.corsight.files import FileError
from services.common.events.quarantine import SUGGESTIONS
from services.gateway.csv_export import csv_lines
from services.gateway.models import Upload
from services.gateway.queries.quarantine import RejectedRow, any_rejects, as_text, export_rejects
from services.gateway.uploads.refused import WHOLE_ROW, CsvRows, rows_of
from services.gateway.uploads.store import RawStore

WHY = ("line", "reason_code", "reason", "suggestion")

_UNSPLIT = ("wrong_field_count", "bad_encoding", "too_large")
"""Reasons for which a row of a CSV may not have one cell for each column."""


def columns_of(store: RawStore, sha256: str) -> CsvRows | None:
    """How the file's rows are split; None for one without columns, and for one that is gone."""
    try:
        with store.open(sha256) as file:
            rows = rows_of(file)
    except (FileError, FileNotFoundError):
        return None
    return rows if isinstance(rows, CsvRows) else None


async def reject_lines(db: asyncpg.Pool, upload: Upload, layout: CsvRows | None) -> AsyncGenerator[str, None]:
    """The file's own columns, then `WHY`; what cannot be split into them stands in a column `raw`."""
    has_raw = layout is None or await any_rejects(db, upload, _UNSPLIT, MAX_RAW_BYTES)
    columns = layout.header if layout else ()
    yield csv_lines([(*columns, *([WHOLE_ROW] if has_raw else ()), *WHY)])
    async with aclosing(export_rejects(db, upload)) as batches:
        async for rows in batches:
            yield csv_lines(_line(row, layout, has_raw) for row in rows)


def _line(row: RejectedRow, layout: CsvRows | None, has_raw: bool) -> Iterable[str | int]:
    cells, raw = _split(row.raw, layout)
    suggestion = SUGGESTIONS.get(row.reason_code, "")
    return (*cells, *([raw] if has_raw else ()), row.line, row.reason_code, row.reason, suggestion)


def _split(raw: bytes, layout: CsvRows | None) -> tuple[list[str], str]:
    if layout is None:
        return [], as_text(raw)
    try:
        return layout.cells(raw), ""
    except RowError:
        return [""] * len(layout.header), as_text(raw)
