"""CSV as spreadsheets read it safely (RFC 4180)."""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from fastapi.responses import StreamingResponse

from services.common.events.common import isoformat

CSV_RESPONSE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}

# A cell that begins so is run as a formula when the file is opened in a spreadsheet.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_NUMBER = re.compile(r"[+-]\d+(?:\.\d+)?(?:E[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""Nothing that could be run; an apostrophe would have it come back as another text when rejects are uploaded again."""


def csv_download(lines: AsyncIterator[str], file_name: str) -> StreamingResponse:
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as text; a cell that would be run as a formula gets an apostrophe in front, None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
