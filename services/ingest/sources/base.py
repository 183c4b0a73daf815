"""What the connector asks of a source of Corsight's events."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from fastapi import APIRouter


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

    async def run(self) -> None:
        """Until cancelled; a source that is called returns at once."""
        ...


@runtime_checkable
class Refillable(Protocol):
    """A source that can fetch what lies in the past."""

    async def backfill(self, since: datetime, until: datetime) -> int:
        """Fetch the span again and deliver it; how many elements that were. Raises `SourceError`."""
        ...
