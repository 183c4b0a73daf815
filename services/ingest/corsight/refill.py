"""From history to Kafka: a span of the past is fetched and delivered, page by page."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from msgspec import Raw

from services.common import clock
from services.common.events.quarantine import Quarantined
from services.common.kafka.producer import PublishError
from services.ingest.corsight.errors import CorsightError
from services.ingest.corsight.history import FINISHED, RUNNING, History
from services.ingest.corsight.retries import Retries
from services.ingest.inlet import Inlet
from services.ingest.intake import Taken
from services.ingest.status import Fetched, SourceStatus

T = TypeVar("T")

SLICE = timedelta(hours=1)
"""Of a long span, so much is asked for at once, the oldest first."""

KAFKA_RETRY_SECONDS = 5.0


class Delivery:
    """Hands on to Kafka until Kafka has it."""

    def __init__(self, inlet: Inlet, status: SourceStatus) -> None:
        self._inlet = inlet
        self._status = status

    async def deliver(self, elements: Sequence[Raw]) -> Taken:
        return await self._patiently(lambda: self._inlet.deliver(elements, now=clock.now()))

    async def refuse(self, refusal: Quarantined) -> None:
        await self._patiently(lambda: self._inlet.refuse(refusal))

    async def _patiently(self, hand_on: Callable[[], Awaitable[T]]) -> T:
        retries = Retries(KAFKA_RETRY_SECONDS)
        while True:
            try:
                return await hand_on()
            except PublishError as error:
                pause = retries.next_seconds()
                self._status.retrying(
                    f"Kafka does not take the events: {error}", clock.now() + timedelta(seconds=pause)
                )
                await asyncio.sleep(pause)


class Refill:
    def __init__(self, history: History, delivery: Delivery) -> None:
        self._history = history
        self._delivery = delivery

    async def fill(self, since: datetime, until: datetime) -> Fetched:
        """Both databases. Raises `CorsightError`.

        What is running comes first, lest what ends meanwhile be in neither.
        """
        fetched = Fetched()
        async for taken, rows in self.pages(RUNNING, since, until):
            fetched.add(taken, rows)
        for start, end in slices(since, until):
            async for taken, rows in self.pages(FINISHED, start, end):
                fetched.add(taken, rows)
                fetched.newest = newest_of(taken, fetched.newest)
        return fetched

    async def pages(
        self, database: str, since: datetime, until: datetime, known: "Known | None" = None
    ) -> AsyncIterator[tuple[Taken, int]]:
        """What of each page was taken and is in Kafka, and how many rows it had; of those `known`, nothing is taken."""
        try:
            async with aclosing(self._history.pages(since, until, database)) as pages:
                async for rows in pages:
                    new = known.new_of(rows) if known else rows
                    taken = await self._delivery.deliver(new) if new else Taken()
                    if known:
                        known.add(new)
                    yield taken, len(rows)
        except CorsightError as error:
            # Not every version keeps what is running. Where all of history is away, the other database says so too.
            if database == FINISHED or error.status is None:
                raise


class Known:
    """The rows that Kafka has, as far back as readings overlap: history says the same again and again."""

    MAX_ROWS = 100_000

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}

    def new_of(self, rows: Sequence[Raw]) -> list[Raw]:
        return [row for row in rows if _digest(row) not in self._digests]

    def add(self, rows: Iterable[Raw]) -> None:
        self._digests |= dict.fromkeys(map(_digest, rows))
        for oldest in list(islice(self._digests, max(0, len(self._digests) - self.MAX_ROWS))):
            del self._digests[oldest]


def _digest(row: Raw) -> bytes:
    return hashlib.blake2b(row, digest_size=16).digest()


def newest_of(taken: Taken, so_far: datetime | None) -> datetime | None:
    """When the newest of the facts was reported."""
    return max(filter(None, (so_far, taken.reported_at)), default=None)


def slices(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    while until - since > SLICE:
        yield since, since + SLICE
        since += SLICE
    yield since, until
