"""From a source to Kafka: what every source does with what came, whichever way it came."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from services.common.events.quarantine import Quarantined
from services.common.metrics import CONSUMED
from services.ingest.cameras import CameraBook
from services.ingest.intake import Taken, take
from services.ingest.publisher import Publisher
from services.ingest.status import SourceStatus

TAKEN_AT_ONCE = 100
"""Elements between two looks at what else is to be done: some milliseconds."""


class Inlet:
    """Where the source `name` hands over what it got. What is handed over twice changes nothing."""

    def __init__(self, publisher: Publisher, cameras: CameraBook, status: SourceStatus, name: str) -> None:
        self._publisher = publisher
        self._cameras = cameras
        self._status = status
        self._name = name

    async def deliver(self, elements: Sequence[msgspec.Raw], *, now: datetime) -> Taken:
        """Returns once Kafka has all of it, refusals included; raises `PublishError` where it may not have.

        The elements are the vendor's events as they came, of one message or of hundreds: many together cost less each.
        """
        taken = Taken()
        for start in range(0, len(elements), TAKEN_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            some = elements[start : start + TAKEN_AT_ONCE]
            taken.add(take(some, self._name, now, with_crops=self._publisher.keeps_crops))
        await self._publisher.publish_taken(taken, self._name)
        CONSUMED.labels(self._name).inc(taken.accepted)
        if taken.accepted or taken.refused:
            self._cameras.spoke(self._name, now)
        self._cameras.saw(self._name, taken.appearances, taken.insights)
        self._status.delivered(taken, now)
        return taken

    async def refuse(self, refusal: Quarantined) -> None:
        """Keep what cannot even be taken apart into elements. Raises `PublishError`."""
        await self._publisher.publish_refused([refusal], self._name)
        self._status.delivered(Taken(refused=[refusal]), refusal.quarantined_at)
