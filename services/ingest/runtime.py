"""Keeps the sources at work, does what people ask of them, and writes down how they are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import asyncpg

from services.common import clock
from services.common.logging import get_logger
from services.common.postgres import SERVER_AWAY
from services.ingest.commands import TEST_SECONDS, Ask, SourceTable
from services.ingest.sources.base import Refillable, Source, SourceError
from services.ingest.status import Fetched

log = get_logger(__name__)

TURN_SECONDS = 0.5
"""Between looks at what people ask."""

TELL_SECONDS = 2.0
"""Between rows while only numbers change."""

RESTART_SECONDS = 5.0
"""After a source failed by a fault of the connector's own."""

TURN_TIMEOUT_SECONDS = 5.0
"""How long PostgreSQL may think. At the start nothing is taken until it has said who is paused, but for no longer than
this: what would come meanwhile weighs more."""

# A table that is not there yet: the sink is still to apply its migrations.
_AWAY = (*SERVER_AWAY, TimeoutError, asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError)


class Runtime:
    """The sources start once `ready` is set, and go on without PostgreSQL: they are paused, asked and told of when it
    is back. `has_begun` is true once they have started, or stand as somebody paused them."""

    def __init__(
        self, sources: Sequence[Source], connect: Callable[[], Awaitable[asyncpg.Pool]], ready: asyncio.Event
    ) -> None:
        self._workers = {source.name: _Worker(source) for source in sources}
        self._connect = connect
        self._ready = ready
        self._db: asyncpg.Pool | None = None
        self._table: SourceTable | None = None
        self._paused: set[str] = set()
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._told_at: datetime | None = None
        self._is_away = False
        self.has_begun = False

    async def run(self) -> None:
        try:
            while True:
                await self._turn()
                for name, worker in self._workers.items():
                    if name in self._paused:
                        await worker.pause()
                    elif self._ready.is_set():
                        worker.go_on()
                self.has_begun = self._ready.is_set()
                await asyncio.sleep(TURN_SECONDS)
        finally:
            for task in self._at_work.values():
                task.cancel()
            await asyncio.gather(*self._at_work.values(), return_exceptions=True)
            for worker in self._workers.values():
                await worker.stop()
            if self._db:
                self._db.terminate()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_TIMEOUT_SECONDS):
                table = await self._opened()
                self._paused = await table.paused()
                for ask in await table.waiting():
                    if ask.command_id not in self._at_work and ask.source in self._workers:
                        self._at_work[ask.command_id] = asyncio.create_task(self._do(ask, table))
                await self._tell(table)
            self._is_away = False
        except _AWAY as error:
            if not self._is_away:
                log.error("cannot tell of the sources", reason=str(error) or type(error).__name__)
            self._is_away = True

    async def _opened(self) -> SourceTable:
        if self._table is None:
            self._db = self._db or await self._connect()
            table = SourceTable(self._db)
            await table.go_on(self._sources)
            self._table = table
        return self._table

    async def _tell(self, table: SourceTable) -> None:
        now = clock.now()
        statuses = [source.status for source in self._sources]
        is_due = self._told_at is None or now - self._told_at >= timedelta(seconds=TELL_SECONDS)
        if not is_due and not any(status.changed for status in statuses):
            return
        for status in statuses:
            status.changed = False
        try:
            await table.tell(self._sources)
        except BaseException:
            for status in statuses:
                status.changed = True
            raise
        self._told_at = now

    async def _do(self, ask: Ask, table: SourceTable) -> None:
        source, fetched = self._workers[ask.source].source, None
        try:
            if ask.command == "backfill":
                fetched = await self._backfill(source, ask)
                answer = f"{fetched.rows:,} events fetched"
            else:
                answer = await _test(source)
            succeeded = True
        except SourceError as error:
            answer, succeeded = str(error), False
        except Exception as error:
            log.exception("cannot do what was asked", source=ask.source, command=ask.command)
            answer, succeeded = f"stopped by a fault of the connector: {type(error).__name__}: {error}", False
        if ask.command == "backfill":
            log.info("back-filled", source=ask.source, since=ask.since, until=ask.until, answer=answer)
            if not succeeded:
                source.status.went_wrong(f"could not fetch {ask.since:%Y-%m-%d %H:%M} to {ask.until:%H:%M}: {answer}")
        try:
            await table.answer(ask, succeeded=succeeded, answer=answer, fetched=fetched)
        except _AWAY:
            # Asked again at a later turn, which changes nothing but the answer.
            log.warning("cannot answer", source=ask.source, command=ask.command)
        finally:
            del self._at_work[ask.command_id]

    async def _backfill(self, source: Source, ask: Ask) -> Fetched:
        if not isinstance(source, Refillable) or ask.since is None or ask.until is None:
            raise SourceError("This source cannot fetch what lies in the past.")
        fetched = await source.backfill(ask.since, ask.until)
        if fetched.rows:
            # Whatever source missed it: they all tell of the same system.
            for each in self._sources:
                each.status.given_back(ask.since, ask.until, fetched)
        return fetched

    @property
    def _sources(self) -> list[Source]:
        return [worker.source for worker in self._workers.values()]


async def _test(source: Source) -> str:
    try:
        async with asyncio.timeout(TEST_SECONDS):
            return await source.test()
    except TimeoutError:
        raise SourceError(f"No answer in {TEST_SECONDS:g} seconds.") from None


class _Worker:
    """One source: at work, paused, or ended of itself."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._task: asyncio.Task[None] | None = None
        self._is_paused = False

    def go_on(self) -> None:
        if self._task is None:
            self._is_paused = False
            self.source.status.starting()
            self._task = asyncio.create_task(self._keep_running(), name=self.source.name)

    async def pause(self) -> None:
        await self.stop()
        if not self._is_paused:
            self._is_paused = True
            self.source.status.paused()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep_running(self) -> None:
        """A fault in one source is no reason to stop the others."""
        while True:
            try:
                await self.source.run()
                return
            except Exception as error:
                log.exception("source failed", source=self.source.name)
                reason = f"stopped by a fault of the connector: {type(error).__name__}: {error}"
                self.source.status.retrying(reason, clock.now() + timedelta(seconds=RESTART_SECONDS))
            await asyncio.sleep(RESTART_SECONDS)
