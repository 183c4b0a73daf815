"""What the connector asks of a source of Corsight's events."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from fastapi import APIRouter

from services.ingest.status import Fetched, SourceStatus


class SourceError(Exception):
    """Why a source cannot do what it was asked for, in plain words."""


class Source(Protocol):
    """One way in which events come. `name` marks whatever came this way: ``corsight:<connector>``.

    A source that is called has a router; one that calls runs.
    """

    @property
    def name(self) -> str: ...

    @property
    def router(self) -> APIRouter | None: ...

    @property
    def status(self) -> SourceStatus: ...

    async def run(self) -> None:
        """Until cancelled, which may be at any await and must not cost the cursor: a source is paused by cancelling
        this, and resumed by calling it anew. One that is called waits here, and refuses its callers while nobody runs
        it."""
        ...

    async def test(self) -> str:
        """Try whether events could come and say in a plain sentence what was found; raises `SourceError`. Changes
        nothing, and works while the source is paused."""
        ...


@runtime_checkable
class Refillable(Protocol):
    """A source that can fetch what lies in the past."""

    async def backfill(self, since: datetime, until: datetime) -> Fetched:
        """Fetch the span again and deliver it. Raises `SourceError`."""
        ...
