"""The live stream of server-sent events. Whatever was sent while it was away is read back from history."""

import asyncio
from datetime import datetime, timedelta

from msgspec import Raw

from services.common import clock
from services.common.events.common import stable_id
from services.common.events.quarantine import Quarantined
from services.common.kafka.quarantine import refuse
from services.common.logging import get_logger
from services.ingest.cameras import CameraBook
from services.ingest.corsight.cursor import CURSORS_AWAY
from services.ingest.corsight.endpoints import Service
from services.ingest.corsight.errors import CorsightError, MisconfiguredError
from services.ingest.corsight.gaps import LOOK_BACK, Gap, Progress
from services.ingest.corsight.refill import Delivery, Refill
from services.ingest.corsight.retries import Retries
from services.ingest.corsight.stream import MAX_EVENT_BYTES, EventStream, elements_of
from services.ingest.corsight.system import System
from services.ingest.corsight.unheard import Unheard
from services.ingest.corsight.waiting import Came, Waiting
from services.ingest.inlet import Inlet
from services.ingest.publisher import Publisher
from services.ingest.sources.base import SourceError
from services.ingest.status import Fetched, SourceStatus

log = get_logger(__name__)

NAME = "corsight:sse"

INSIGHTS = "corsight:sse insights"
"""The cursor of insight events, kept apart: history reaches back for appearances, and holds theirs back."""

MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Of events that were read and are not in Kafka; one of them may make it a little more."""

BATCH = 1_000
"""Events delivered at once; as many are read while they are on their way."""

STALLED_SECONDS = 10.0
"""Whoever does not read for so long may have been given up by the server, which then drops what it could not send."""

CURSOR_SECONDS = 2.0
"""Between two writings of the cursor."""

TEST_SECONDS = 5.0
"""How long a test waits for an event."""

_HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}


class Sse:
    """Four things at once: reading, publishing, reading back, and keeping the cursors, which never pass a gap."""

    name = NAME
    router = None

    def __init__(self, system: System, publisher: Publisher, cameras: CameraBook) -> None:
        self.status = SourceStatus(self.name)
        self._system = system
        settings = system.settings
        self._delivery = Delivery(Inlet(system.settings, publisher, cameras, self.status), self.status)
        self._refill = Refill(system.history, self._delivery)
        self._overlap = timedelta(seconds=settings.corsight_history_overlap_seconds)
        self._look_again = timedelta(seconds=settings.corsight_history_interval_seconds)
        self._first = timedelta(hours=settings.corsight_history_first_hours)
        self._progress = Progress(self._overlap)
        self._gaps = [Gap(None)]
        self._waiting = Waiting(MAX_WAITING_BYTES)
        self._unheard = Unheard(self.status)
        self._connected_at: datetime | None = None
        self._heard_at: datetime | None = None
        self._is_connected = False
        for warning in self._system.session.warnings:
            self.status.warn(warning)

    async def run(self) -> None:
        # What waited when the last run ended is within its gap.
        self._waiting = Waiting(MAX_WAITING_BYTES)
        self.status.starting()
        try:
            async with asyncio.TaskGroup() as group:
                parts = (self._publish(), self._read_back(), self._keep_cursors())
                beside = [group.create_task(part) for part in parts]
                await self._listen()
                for task in beside:
                    task.cancel()
        finally:
            self._heard_at = self._all_heard_at
            self._lose()

    async def test(self) -> str:
        try:
            async with self._system.session.stream(Service.EVENTS, _HEADERS) as response:
                stream, events = EventStream(), 0
                try:
                    async with asyncio.timeout(TEST_SECONDS):
                        async for chunk in response.aiter_bytes():
                            events += len(stream.feed(chunk))
                except TimeoutError:
                    pass
                place = response.url.copy_with(query=None)
                return f"Corsight takes the login and streams from {place}; in {TEST_SECONDS:g} s came {events} events."
        except CorsightError as error:
            raise SourceError(str(error)) from error

    async def backfill(self, since: datetime, until: datetime) -> Fetched:
        try:
            return await self._refill.fill(since, until)
        except CorsightError as error:
            raise SourceError(str(error)) from error

    async def _listen(self) -> None:
        """Returns where no attempt can succeed."""
        retries = Retries(self._system.settings.corsight_retry_seconds)
        while True:
            try:
                await self._read_stream(retries)
                reason = "Corsight ended the stream"
            except MisconfiguredError as error:
                self.status.failed(str(error))
                return
            except CorsightError as error:
                reason = str(error)
            self._lose()
            pause = retries.next_seconds()
            self.status.retrying(reason, clock.now() + timedelta(seconds=pause))
            log.warning("the stream is away", source=NAME, reason=reason, pause_seconds=round(pause, 1))
            await asyncio.sleep(pause)

    def _lose(self) -> None:
        if self._is_connected:
            self._is_connected = False
            self._gaps.append(Gap(self._progress.complete_at))

    def _connect(self, now: datetime) -> None:
        self._is_connected = True
        for gap in self._gaps:
            gap.until = gap.until or now
        if self._heard_at:
            self._unheard.add(self._heard_at, now)
        else:
            self._unheard.began(now)
        self._connected_at = self._heard_at = now
        self._tell()

    @property
    def _all_heard_at(self) -> datetime | None:
        """Up to when Kafka has everything that was heard."""
        if self._waiting.is_empty or self._connected_at is None:
            return self._heard_at
        return max(self._connected_at, self._progress.newest or self._connected_at)

    async def _read_stream(self, retries: Retries) -> None:
        async with self._system.session.stream(Service.EVENTS, _HEADERS) as response:
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise CorsightError(f"{response.url} answers with a page for people and no stream of events")
            self._connect(clock.now())
            stream = EventStream()
            async for chunk in response.aiter_bytes():
                self._heard_at = clock.now()
                self.status.heard(self._heard_at)
                came: list[Came] = [event for load in stream.feed(chunk) for event in elements_of(load, NAME)]
                came += self._overlong(stream)
                if came:
                    retries.reset()
                    await self._add(came)

    def _overlong(self, stream: EventStream) -> list[Quarantined]:
        beginnings, stream.overlong = stream.overlong, []
        reason = f"an event has at most {MAX_EVENT_BYTES:,} bytes"
        return [refuse(f"{NAME}#{stable_id(each.hex())}", "too_large", reason, each) for each in beginnings]

    async def _add(self, came: list[Came]) -> None:
        loop, since, heard_at = asyncio.get_running_loop(), self._progress.complete_at, clock.now()
        before = loop.time()
        await self._waiting.add(came)
        if loop.time() - before >= STALLED_SECONDS:
            now = clock.now()
            self._gaps.append(Gap(since, now))
            self._unheard.add(heard_at, now)

    async def _publish(self) -> None:
        while True:
            came = await self._waiting.take(BATCH)
            events = [each for each in came if isinstance(each, Raw)]
            if len(events) < len(came):
                for each in came:
                    if isinstance(each, Quarantined):
                        await self._delivery.refuse(each)
            taken = await self._delivery.deliver(events)
            self._waiting.done()
            self._progress.add(taken, clock.now())
            if taken.insights:
                self._unheard.heard_one()
            if self.status.state == "retrying" and self._is_connected:
                self._tell()

    async def _read_back(self) -> None:
        retries = Retries(self._system.settings.corsight_retry_seconds)
        while True:
            now = clock.now()
            due = [gap for gap in self._gaps if gap.is_due(now, self._look_again)]
            if not due:
                await asyncio.sleep(0.1)
                continue
            try:
                await self._fill(due)
            except CURSORS_AWAY as error:
                self.status.went_wrong(f"cannot read from PostgreSQL how far the stream had come: {error}")
            except CorsightError as error:
                self._cannot_fill(due, error)
            else:
                retries.reset()
                self._tell()
                continue
            await asyncio.sleep(retries.next_seconds())

    async def _fill(self, due: list[Gap]) -> None:
        if not self._unheard.has_gone_on:
            self._unheard.go_on(await self._system.cursors.read(INSIGHTS))
        for gap in due:
            gap.since = gap.since or await self._system.cursors.read(NAME) or clock.now() - self._first
        until = max(gap.until for gap in due if gap.until)
        # What is late is late by minutes; all of a long gap was looked at before.
        since = min(max(gap.since, until - LOOK_BACK) if gap.looked_at else gap.since for gap in due if gap.since)
        started_at = clock.now()
        fetched = await self._refill.fill(since - self._overlap, until + self._overlap)
        log.info("read back", source=NAME, since=since, until=until, rows=fetched.rows)
        if fetched.newest:
            self._progress.read_back(min(fetched.newest, until))
        for gap in due:
            if gap.since and gap.until:
                self.status.given_back(gap.since, gap.until, fetched)
        self._unheard.read_back(until, fetched.insights)
        self._gaps = [gap for gap in self._gaps if not (gap in due and gap.looked_at)]
        for gap in due:
            gap.looked_at = started_at

    def _cannot_fill(self, due: list[Gap], error: CorsightError) -> None:
        reason = f"history cannot be read: {error}"
        log.warning("cannot read back", source=NAME, reason=reason, will_try_again=not error.is_final)
        for gap in due:
            if gap.since and gap.until:
                self.status.missed(gap.since, gap.until, reason)
        if error.is_final:
            self._unheard.read_back(max(gap.until for gap in due if gap.until), insights=0)
            self._gaps = [gap for gap in self._gaps if gap not in due]
            self._tell()
            return
        # While it lasts there may be ever more of them.
        since, until = [gap.since for gap in due if gap.since], [gap.until for gap in due if gap.until]
        self._gaps = [gap for gap in self._gaps if gap not in due] + [Gap(min(since), max(until))]

    def _tell(self) -> None:
        if not self._is_connected:
            return
        if any(gap.is_over and gap.looked_at is None for gap in self._gaps):
            self.status.catching_up("events arrive; those that were missed are being read back")
        else:
            self.status.live(clock.now())

    async def _keep_cursors(self) -> None:
        kept: dict[str, datetime] = {}
        while True:
            await asyncio.sleep(CURSOR_SECONDS)
            for name, reached in ((NAME, self._reached), (INSIGHTS, self._unheard.complete_at(self._all_heard_at))):
                if reached is None or reached == kept.get(name):
                    continue
                try:
                    await self._system.cursors.advance(name, reached)
                except CURSORS_AWAY as error:
                    self.status.went_wrong(f"cannot keep in PostgreSQL how far the stream has come: {error}")
                    continue
                kept[name] = reached
                if name == NAME:
                    self.status.reached(reached)

    @property
    def _reached(self) -> datetime | None:
        """None while it is not known."""
        reached = [gap.since for gap in self._gaps] + [self._progress.complete_at]
        known = [at for at in reached if at]
        return min(known) if len(known) == len(reached) else None
