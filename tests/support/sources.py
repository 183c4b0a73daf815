"""Sources that bring nothing, for tests of what runs them."""

import asyncio
from datetime import datetime

from fastapi import APIRouter

from services.ingest.sources.base import SourceError
from services.ingest.status import Fetched, SourceStatus


class FakeSource:
    """Counts how often it was started; fails as often as it is told to."""

    router: APIRouter | None = None

    def __init__(self, kind: str = "sse") -> None:
        self.name = f"corsight:{kind}"
        self.status = SourceStatus(self.name)
        self.starts = 0
        self.running = False
        self.faults = 0

    async def run(self) -> None:
        self.starts += 1
        if self.faults:
            self.faults -= 1
            raise RuntimeError("a fault")
        self.running = True
        self.status.live()
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    async def test(self) -> str:
        return "All is well."


class RefillableSource(FakeSource):
    found = 7
    insights = 0

    def __init__(self, kind: str = "history") -> None:
        super().__init__(kind)
        self.spans: list[tuple[datetime, datetime]] = []

    async def backfill(self, since: datetime, until: datetime) -> Fetched:
        self.spans.append((since, until))
        if self.found < 0:
            raise SourceError("Corsight does not answer")
        return Fetched(rows=self.found, accepted=self.found, insights=self.insights)
