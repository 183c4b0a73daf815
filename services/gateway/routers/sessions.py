"""Sessions: the table and the export."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from services.common import clock
from services.common.events.common import isoformat
from services.gateway import audit
from services.gateway.csv_export import CSV_RESPONSE, csv_download, csv_lines
from services.gateway.dependencies import Analyst, Database, Opened, Settings, Viewer
from services.gateway.filters import CommonFilters
from services.gateway.models import SessionPage
from services.gateway.queries.sessions import EXPORT_COLUMNS, SessionSort, export_sessions, read_sessions

router = APIRouter(tags=["sessions"])


@router.get("/sessions")
async def list_sessions(
    user: Viewer,
    db: Database,
    settings: Settings,
    filters: CommonFilters,
    sort: SessionSort = "-started_at",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> SessionPage:
    return await read_sessions(db, filters, settings, clock.now(), sort, cursor, limit)


@router.get("/sessions.csv", response_class=Response, responses=CSV_RESPONSE)
async def export(
    user: Analyst, opened: Opened, filters: CommonFilters, sort: SessionSort = "started_at"
) -> StreamingResponse:
    """All sessions that the filters select, as text/csv; times are UTC."""

    async def lines() -> AsyncIterator[str]:
        yield csv_lines([EXPORT_COLUMNS])
        async with opened.exports, aclosing(export_sessions(opened.db, filters, sort)) as batches:
            async for rows in batches:
                yield csv_lines(rows)

    asked = {"from": isoformat(filters.start), "to": isoformat(filters.end), **filters.cameras, **filters.people}
    await audit.record(opened.db, user.email, "export_sessions", filters=asked)
    return csv_download(lines(), "sessions.csv")
