"""History, read on a schedule: each reading begins some way before the end of the last."""

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta

from services.common import clock
from services.common.logging import get_logger
from services.ingest.cameras import CameraBook
from services.ingest.corsight.cursor import CURSORS_AWAY
from services.ingest.corsight.errors import CorsightError, MisconfiguredError
from services.ingest.corsight.gaps import LOOK_BACK, Unfinished
from services.ingest.corsight.history import FINISHED, RUNNING
from services.ingest.corsight.refill import Delivery, Known, Refill, newest_of, slices
from services.ingest.corsight.retries import Retries
from services.ingest.corsight.system import System
from services.ingest.inlet import Inlet
from services.ingest.publisher import Publisher
from services.ingest.sources.base import SourceError
from services.ingest.status import Fetched, SourceStatus

log = get_logger(__name__)

NAME = "corsight:history"

TEST_SPAN = timedelta(minutes=10)

AHEAD = timedelta(minutes=5)
"""How far the clock there may be ahead of the one here."""

LONG = timedelta(minutes=10)
"""A reading of more than this and the overlap is no matter of moments, and is told."""


_AWAY: tuple[type[Exception], ...] = (CorsightError, *CURSORS_AWAY)


class PolledHistory:
    """The cursor goes by the times of the rows, for the clock there may be another than the one here."""

    name = NAME
    router = None

    def __init__(self, system: System, publisher: Publisher, cameras: CameraBook) -> None:
        self.status = SourceStatus(self.name)
        self._system = system
        inlet = Inlet(system.settings, publisher, cameras, self.status)
        self._refill = Refill(system.history, Delivery(inlet, self.status))
        self._known = Known()
        self._overlap = timedelta(seconds=system.settings.corsight_history_overlap_seconds)
        self._complete_at: datetime | None = None
        self._unfinished = Unfinished()
        for warning in self._system.session.warnings:
            self.status.warn(warning)

    async def run(self) -> None:
        self.status.starting()
        retries = Retries(self._system.settings.corsight_retry_seconds)
        while True:
            try:
                await self._read()
            except MisconfiguredError as error:
                self.status.failed(str(error))
                return
            except _AWAY as error:
                pause = retries.next_seconds()
                reason = f"history cannot be read: {str(error) or type(error).__name__}"
                self.status.retrying(reason, clock.now() + timedelta(seconds=pause))
                log.warning("will try again", source=NAME, reason=reason, pause_seconds=round(pause, 1))
            else:
                retries.reset()
                pause = self._system.settings.corsight_history_interval_seconds
                self.status.live(clock.now(), f"asked for what is new every {pause:g} s")
            await asyncio.sleep(pause)

    async def test(self) -> str:
        now = clock.now()
        try:
            async with aclosing(self._system.history.pages(now - TEST_SPAN, now, FINISHED)) as pages:
                rows = len(await anext(pages, []))
        except CorsightError as error:
            raise SourceError(str(error)) from error
        minutes = TEST_SPAN.total_seconds() / 60
        return f"Corsight takes the login; the first page of its last {minutes:g} minutes of history has {rows} rows."

    async def backfill(self, since: datetime, until: datetime) -> Fetched:
        try:
            return await self._refill.fill(since, until)
        except CorsightError as error:
            raise SourceError(str(error)) from error

    async def _read(self) -> None:
        now = clock.now()
        if self._complete_at is None:
            first = now - timedelta(hours=self._system.settings.corsight_history_first_hours)
            self._complete_at = await self._system.cursors.read(NAME) or first
        since = min(self._complete_at, self._unfinished.gone_since or self._complete_at) - self._overlap
        if now - since > self._overlap + LONG:
            self.status.catching_up(f"reading history from {since:%Y-%m-%d %H:%M} UTC on")
        # What is running comes first, lest what ends meanwhile be in neither database.
        told = [now]
        async for taken, _ in self._refill.pages(RUNNING, since - LOOK_BACK, now + AHEAD):
            self._unfinished.saw_running(taken.appearances)
            told += [appearance.reported_at for appearance in taken.appearances]
        # What runs was reported just now, by the clock there: it may have been put back since the last reading.
        since = max(since - LOOK_BACK, min(since, min(told) - self._overlap))
        for start, end in slices(since, now + AHEAD):
            newest = None
            async for taken, _ in self._refill.pages(FINISHED, start, end, self._known):
                self._unfinished.saw_finished(taken.appearances)
                newest = newest_of(taken, newest)
            self.status.heard(clock.now())
            if newest:
                # Rows come in no order that is known, so only all of a slice says how far it goes.
                self._complete_at = max(self._complete_at, min(newest, end, now))
                await self._keep_cursor(self._complete_at)
        self._unfinished.reading_ended()

    async def _keep_cursor(self, complete_at: datetime) -> None:
        """A track that is still going on holds it back: by which of its times it will be found is not known."""
        running_since = self._unfinished.since or complete_at
        reached = min(complete_at, max(running_since, complete_at - LOOK_BACK))
        try:
            await self._system.cursors.advance(NAME, reached)
        except CURSORS_AWAY as error:
            self.status.went_wrong(f"cannot keep in PostgreSQL how far history was read: {error}")
        else:
            self.status.reached(reached)
