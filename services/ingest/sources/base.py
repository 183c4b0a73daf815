"""What the connector asks of a source of Corsight's events."""

from typing import Protocol

from fastapi import APIRouter


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
