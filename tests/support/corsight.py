"""Reading small files of appearances in tests."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.common.corsight.chunks import Chunk, Reject
from services.common.corsight.csv import read_appearances
from services.common.events.appearances import Appearance

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HEADER = "person_id,camera_id,utc_time_started,utc_time_ended,zone_name"
GOOD = "p1,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,Queue"


@dataclass
class Read:
    items: list[Appearance]
    rejects: list[Reject]
    warnings: list[str]
    chunks: list[Chunk[Appearance]]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject.row, reject.reason_code) for reject in self.rejects]


def read(data: bytes | str, **options: Any) -> Read:
    raw = data.encode() if isinstance(data, str) else data
    chunks = list(read_appearances(io.BytesIO(raw), source_prefix="upload:u1", now=NOW, **options))
    return Read(
        [item for chunk in chunks for item in chunk.items],
        [reject for chunk in chunks for reject in chunk.rejects],
        [warning for chunk in chunks for warning in chunk.warnings],
        chunks,
    )


def rows(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def row(**cells: str) -> str:
    """A file of one row with the given columns besides the required ones."""
    all_cells = {
        "person_id": "p1",
        "camera_id": "c1",
        "utc_time_started": "2026-03-09 10:00:00",
        "utc_time_ended": "2026-03-09 10:01:00",
    } | cells
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(all_cells), list(all_cells.values())])
    return out.getvalue()
