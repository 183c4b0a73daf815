"""What a source of the connector stands on, in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.quarantine import Quarantined
from services.common.kafka.producer import PublishError
from services.ingest.cameras import CameraBook
from services.ingest.corsight.cursor import Cursors
from services.ingest.corsight.settings import CorsightSettings
from services.ingest.corsight.system import System
from services.ingest.intake import Taken
from services.ingest.publisher import Publisher
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources.history import PolledHistory
from services.ingest.sources.sse import Sse
from services.ingest.status import SourceStatus
from tests import oracle
from tests.support.waiting import wait_until

Caller = TypeVar("Caller", bound=Sse | PolledHistory)


@asynccontextmanager
async def at_work(made: Caller) -> AsyncIterator[Caller]:
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await made._system.session.__aexit__()


async def until(condition: Callable[[], Any]) -> None:
    async def holds() -> bool:
        return bool(condition())

    await wait_until(holds)


class FakeKafka(Publisher):
    """Remembers what it was given, unless it is away."""

    def __init__(self) -> None:
        super().__init__(timeout_seconds=1)
        self.is_away = False
        self.answers = asyncio.Event()
        """While this is not set, it takes nothing and says nothing."""
        self.answers.set()
        self.appearances: list[Appearance] = []
        self.forensic: list[Appearance] = []
        self.refused: list[Quarantined] = []
        self.deliveries = 0

    async def publish_taken(self, taken: Taken, source: str) -> None:
        await self._look()
        self.deliveries += 1
        self.appearances += taken.appearances
        self.forensic += taken.forensic
        self.refused += taken.refused

    async def publish_cameras(self, cameras: Iterable[Camera], source: str) -> None:
        await self._look()

    async def _look(self) -> None:
        await self.answers.wait()
        if self.is_away:
            raise PublishError("nobody answers")

    @property
    def keys(self) -> set[str]:
        return {appearance.appearance_key for appearance in self.appearances}


class FakeCursors(Cursors):
    def __init__(self, at: dict[str, datetime] | None = None) -> None:
        super().__init__("")
        self.at = at or {}
        self.is_away = False

    async def read(self, source: str) -> datetime | None:
        self._look()
        return self.at.get(source)

    async def advance(self, source: str, complete_at: datetime) -> None:
        self._look()
        self.at[source] = max(complete_at, self.at.get(source, complete_at))

    def _look(self) -> None:
        if self.is_away:
            raise OSError("nobody answers")


class CountedHistory(PolledHistory):
    """Counts the readings that came to their end."""

    readings = 0

    async def _read(self) -> None:
        await super()._read()
        self.readings += 1

    async def one_more_reading(self) -> None:
        """Begun and ended from now on; the one that is under way began before."""
        ended = self.readings
        await until(lambda: self.readings >= ended + 2)


def settings_for(url: str, **others: Any) -> CorsightSettings:
    """With which a test waits for nothing long."""
    fast: dict[str, Any] = {
        "corsight_username": "dwell",
        "corsight_password": "simulated",
        "corsight_retry_seconds": 0.2,
        "corsight_history_interval_seconds": 0.3,
    }
    return CorsightSettings(**({"corsight_url": url} | fast | others))


class Parts:
    """Around one source; `status` is that of the source which was made last."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.cursors = FakeCursors()
        self.cameras = CameraBook()
        self.status = SourceStatus("none yet")

    def system(self, url: str, **others: Any) -> System:
        return System(settings_for(url, **others), self.cursors)

    def sse(self, url: str, **others: Any) -> Sse:
        made = Sse(self.system(url, **others), self.kafka, self.cameras)
        self.status = made.status
        return made

    def history(self, url: str, **others: Any) -> CountedHistory:
        """In small pages."""
        small: dict[str, Any] = {"corsight_history_page": 20}
        made = CountedHistory(self.system(url, **(small | others)), self.kafka, self.cameras)
        self.status = made.status
        return made


def oracle_of(reports: Iterable[Any]) -> list[dict[Any, Any]]:
    """The appearances that these reports, events or as many dictionaries, come to."""
    told = [msgspec.to_builtins(report) for report in reports]
    return oracle.appearances(oracle.reports(told)).to_dict("records") if told else []


async def come_to_the_truth(vendor: CorsightSimulator, kafka: FakeKafka, *, named: bool = False) -> None:
    """Wait until what Kafka was given amounts to what the system told: nothing less, nothing more."""

    async def all_there() -> bool:
        truth = vendor.truth(named=named)["appearances"]
        if not kafka.keys >= {each["appearance_key"] for each in truth}:
            return False
        return oracle_of(kafka.appearances) == oracle_of(truth)

    await wait_until(all_there)
