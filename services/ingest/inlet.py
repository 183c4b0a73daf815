"""From a source to Kafka: what every source does with what came, whichever way it came."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from services.common.corsight.chunks import RowRules
from services.common.events.quarantine import Quarantined
from services.common.failpoints import failpoint
from services.common.kafka.headers import traceparent
from services.common.metrics import CONSUMED
from services.common.settings import CommonSettings
from services.ingest.cameras import CameraBook
from services.ingest.intake import Taken, take
from services.ingest.publisher import Publisher
from services.ingest.status import SourceStatus

TAKEN_AT_ONCE = 100
"""Elements between two looks at what else is to be done: some milliseconds."""

GATHER_SECONDS = 0.004
ENOUGH = 32
"""Less than so many elements wait so long for others: a request to Kafka costs as much work for one as for twenty."""

_Waiting = tuple[Taken, datetime, str | None, asyncio.Future[None]]
"""What came, when, in which trace, and who waits for it."""


class Inlet:
    """Where a source hands over what it got. What is handed over twice changes nothing.

    What comes while something is being published is published together after it, which costs hardly more than one of
    them, and shares its fate.
    """

    def __init__(
        self, settings: CommonSettings, publisher: Publisher, cameras: CameraBook, status: SourceStatus
    ) -> None:
        self._publisher = publisher
        self._cameras = cameras
        self._status = status
        self._name = status.name
        self._max_dwell = timedelta(hours=settings.implausible_dwell_hours)
        self._consumed = CONSUMED.labels(status.name)
        self._waiting: list[_Waiting] = []
        self._publishing: asyncio.Task[None] | None = None

    async def deliver(self, elements: Sequence[msgspec.Raw], *, now: datetime) -> Taken:
        """Returns once Kafka has all of it, refusals included; raises `PublishError` where it may not have.

        The elements are the vendor's events as they came, of one message or of hundreds: many together cost less each.
        """
        taken = Taken()
        rules = RowRules(now, max_dwell=self._max_dwell)
        for start in range(0, len(elements), TAKEN_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            some = elements[start : start + TAKEN_AT_ONCE]
            taken.add(take(some, self._name, rules, with_crops=self._publisher.keeps_crops))
        await self._publish(taken, now)
        return taken

    async def refuse(self, refusal: Quarantined) -> None:
        """Keep what cannot even be taken apart into elements. Raises `PublishError`."""
        await self._publish(Taken(refused=[refusal]), refusal.quarantined_at)

    async def _publish(self, taken: Taken, now: datetime) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((taken, now, traceparent.get(), done))
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._publish_waiting())
        await done

    async def _publish_waiting(self) -> None:
        """Goes on although whoever handed it over may wait no more: it is no harm to have it in Kafka."""
        try:
            while self._waiting:
                if sum(taken.count for taken, *_ in self._waiting) < ENOUGH:
                    await asyncio.sleep(GATHER_SECONDS)
                waiting, self._waiting = self._waiting, []
                error: Exception | None = None
                try:
                    await self._publish_together(waiting)
                except Exception as raised:
                    error = raised
                for *_, done in waiting:
                    if done.cancelled():
                        continue
                    if error:
                        done.set_exception(error)
                    else:
                        done.set_result(None)
        finally:
            self._publishing = None

    async def _publish_together(self, waiting: Sequence[_Waiting]) -> None:
        (taken, now, trace, _), *others = waiting
        if others:
            taken = Taken()
            for each, at, _, _ in waiting:
                taken.add(each)
                now = max(now, at)
        # Of several traces none can be continued by a record that they share.
        traceparent.set(None if others else trace)
        failpoint("ingest.before_publish")
        await self._publisher.publish_taken(taken, self._name)
        failpoint("ingest.after_publish")
        self._consumed.inc(taken.accepted)
        if taken.accepted or taken.refused:
            self._cameras.spoke(self._name, now)
        self._cameras.saw(self._name, taken.appearances, taken.insights)
        self._status.delivered(taken, now)
