"""What a Corsight system remembers, page by page."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from math import ceil, floor
from typing import Any

import msgspec
from msgspec import Raw, Struct

from services.common.kafka.envelopes import UNREADABLE
from services.ingest.corsight.endpoints import Service
from services.ingest.corsight.errors import CorsightError, TooLargeError
from services.ingest.corsight.session import Session
from services.ingest.corsight.settings import CorsightSettings

FINISHED, RUNNING = "history_db", "live_db"
"""The databases: of appearances that ended, and of those that go on."""

_NULL = b"null"


class _Track(Struct):
    appearance_id: str | None = None


class _Row(Struct):
    """Where a row may have its id: nested as in an event, or at the top."""

    appearance_id: str | None = None
    appearance_data: _Track | None = None


class _Matches(Struct):
    matches: list[Raw] | None


class _Page(Struct):
    data: _Matches | None


class History:
    """Rows come as they are, in either shape; both ends of a span belong to it."""

    def __init__(self, session: Session, settings: CorsightSettings) -> None:
        self._session = session
        self._settings = settings
        self._limit = settings.corsight_history_page

    async def pages(self, since: datetime, until: datetime, database: str) -> AsyncGenerator[list[Raw], None]:
        """Every row of the span. The next page is on its way while the caller works on one. Raises `CorsightError`."""
        coming = asyncio.create_task(self._page(since, until, database, ""))
        seen = set()
        try:
            while rows := await coming:
                after = _last_id(rows)
                if after in seen:
                    self._check_last(rows, "gives the same rows again")
                    return
                if not after:
                    yield rows
                    self._check_last(rows, "gives rows without appearance_id")
                    return
                seen.add(after)
                coming = asyncio.create_task(self._page(since, until, database, after))
                yield rows
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    def _check_last(self, rows: list[Raw], what: str) -> None:
        if len(rows) >= self._limit:
            raise CorsightError(f"history has more than {self._limit} rows of a span, and {what} instead of the next")

    async def _page(self, since: datetime, until: datetime, database: str, after: str) -> list[Raw]:
        body: dict[str, Any] = {"from": self._epoch(since, floor), "till": self._epoch(until, ceil)}
        if self._settings.corsight_history_cameras:
            body[self._settings.corsight_history_camera_field] = self._settings.corsight_history_cameras
        while True:
            params: dict[str, str | int] = {"limit": self._limit, "query_db": database}
            if after:
                # Some versions read it from the address, others from the body.
                params["after_id"] = body["after_id"] = after
            try:
                return _read_page(await self._session.post(Service.HISTORY, params, body))
            except TooLargeError:
                if self._limit == 1:
                    raise
                self._limit = max(1, self._limit // 2)

    def _epoch(self, at: datetime, rounded: Callable[[float], int]) -> int:
        """Whole ones: some versions take no others."""
        factor = 1000 if self._settings.corsight_history_time_unit == "milliseconds" else 1
        return rounded(at.timestamp() * factor)


def _read_page(answer: bytes) -> list[Raw]:
    try:
        page = _decoded(answer)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise CorsightError(f"history answers with no rows: {error}") from error
    rows = page.data.matches if page.data else None
    return [row for row in rows or () if bytes(row) != _NULL]


def _decoded(answer: bytes) -> _Page:
    try:
        return msgspec.json.decode(answer, type=_Page)
    except UNREADABLE:
        # A number or character that only some writers call JSON must cost its own row at most.
        value = json.loads(answer.decode(errors="replace"), parse_constant=lambda _: None)
        return msgspec.json.decode(json.dumps(value), type=_Page)


def _last_id(rows: list[Raw]) -> str:
    """Behind which the next page begins; empty where no row has an id."""
    for row in reversed(rows):
        try:
            found = msgspec.json.decode(row, type=_Row)
        except UNREADABLE:
            continue
        if after := found.appearance_id or (found.appearance_data and found.appearance_data.appearance_id):
            return after
    return ""
