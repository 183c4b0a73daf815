"""The backend on servers that a test may break, with its sources and its judge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self

import asyncpg
from aiokafka.errors import KafkaError

from deploy.local.layout import ROOT
from deploy.local.test_servers import NAMES, LocalServers
from services.common.postgres import SERVER_AWAY, create_pool
from tests.faults.invariants import Comparison, Expected, Place, Places, Stored, broken_invariants
from tests.faults.load import PAUSE_SECONDS, Load
from tests.faults.supervised import Supervised
from tests.support.databases import fresh_database
from tests.support.environment import environment
from tests.support.kafka import make_topics_empty
from tests.support.servers import Servers
from tests.support.waiting import wait_until

SERVICES = ("gateway", "worker", "processor", "insights", "sink")
"""The worker goes on with files that a gateway died over."""

DRAIN_SECONDS = 180.0
SETTLE_SECONDS = 20.0
WATCH_SECONDS = 0.5

ROWS = ROOT / "deploy" / "local" / "target" / "faults.md"


class Row(NamedTuple):
    """What a run came to. `duplicated` counts what is stored and was never accepted, or counts something twice."""

    fault: str
    events: int
    restarts: int
    lost: int
    duplicated: int
    drain_seconds: float

    def __str__(self) -> str:
        *counts, drain = self
        return f"| {' | '.join(map(str, counts))} | {drain:.1f} |"


HEADER = "| fault | events | restarts | lost | duplicated | seconds to drain |\n|---|---|---|---|---|---|\n"

Fault = Callable[["Rig"], Awaitable[None]]


class Rig:
    def __init__(
        self, servers: LocalServers, processes: Supervised, database: str, pool: asyncpg.Pool, places: Places
    ) -> None:
        self.servers = servers
        self.processes = processes
        self.kafka = servers.kafka
        self.dsn = database
        self.pool = pool
        self.places = places
        self.is_whole = True
        """False once a test may have left something broken."""
        self._runs = 0
        self._back: list[str] = []

    async def endure(self, name: str, fault: Fault, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Let the fault happen under load, then wait for the end of the lag and judge what is stored."""
        self.is_whole = False
        async with self.sources(pause_seconds) as self.load:
            restarts = self.processes.restarts.total()
            watching = asyncio.create_task(self._steps_back())
            try:
                async with self.load.running():
                    await self.accepts_more()
                    await fault(self)
                await self.judge(name, self.load, restarts)
            finally:
                watching.cancel()
            assert not self._back, "\n".join(self._back)
        self.is_whole = True

    async def _steps_back(self) -> None:
        """I3, as long as it lasts: where the sink goes on reading never lies before where it did."""
        known: dict[Place, int] = {}
        while True:
            with suppress(asyncpg.PostgresError, TimeoutError, *SERVER_AWAY):
                now = await self.places.written()
                self._back += [
                    f"I3: the sink went back to {offset} of {place} from {known[place]}"
                    for place, offset in now.items()
                    if offset < known.get(place, 0)
                ]
                known |= now
            await asyncio.sleep(WATCH_SECONDS)

    def sources(self, pause_seconds: float = PAUSE_SECONDS) -> Load:
        """Sources with cameras of their own, so that a run can be judged alone."""
        self._runs += 1
        return Load(self.kafka, self.processes.address("gateway"), f"run{self._runs}", pause_seconds)

    async def judge(self, name: str, load: Load, restarts: int = 0) -> None:
        """Drain, compare with the oracle, look at the invariants, and record the row. AssertionError where it fails."""
        drained = await self.drain()
        wanted = await asyncio.to_thread(Expected, load.accepted, load.insights, load.rules)
        compared = await self._compare(wanted)
        broken = await broken_invariants(self.kafka, self.pool, self.places, wanted, self.processes.peak_bytes)
        row = Row(
            name,
            len(load.accepted),
            self.processes.restarts.total() - restarts,
            len(compared.lost),
            len(compared.extra) + len(compared.wrong),
            drained,
        )
        record(row)
        assert (row.lost, row.duplicated) == (0, 0), f"{row}\n{compared}"
        assert not broken, "\n".join(broken[:20])

    async def drain(self) -> float:
        """Seconds until no stage has anything left to take."""
        started = monotonic()
        while True:
            try:
                behind: object = await self.places.lag()
            except (KafkaError, TimeoutError, *SERVER_AWAY) as error:
                behind = repr(error)
            if not behind:
                return monotonic() - started
            assert monotonic() < started + DRAIN_SECONDS, f"still behind after {DRAIN_SECONDS:g} s: {behind}"
            await asyncio.sleep(1)

    async def accepts_more(self, count: int = 200) -> None:
        """Wait until the sources of the present run have got that much more accepted."""
        await self.written(self.load, len(self.load.accepted) + count)

    async def written(self, load: Load, count: int) -> None:
        async def are_accepted() -> bool:
            return len(load.accepted) >= count

        await wait_until(are_accepted, DRAIN_SECONDS)

    async def _compare(self, wanted: Expected) -> Comparison:
        """No lag means that all is taken; what a stage makes of it afterwards may need a moment more."""
        deadline = monotonic() + SETTLE_SECONDS
        while True:
            found = await Stored.read(self.pool, wanted.cameras)
            compared = Comparison(wanted, found)
            if not (compared.lost or compared.extra or compared.wrong) or monotonic() > deadline:
                return compared
            await asyncio.sleep(1)


class KeptRig:
    """One rig for the tests of a module, and another where a test has left it broken."""

    def __init__(self, servers: LocalServers, folder: Callable[[], Path]) -> None:
        self._servers = servers
        self._folder = folder
        self._stack = AsyncExitStack()
        self._rig: Rig | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def whole(self) -> Rig:
        if self._rig is None or not self._rig.is_whole:
            for name in NAMES:
                if self._servers.has_ended(name):
                    await self._servers.start_again(name)
            await self._stack.aclose()
            self._rig = await self._stack.enter_async_context(running_rig(self._servers, self._folder()))
        return self._rig


def record(row: Row) -> None:
    if not ROWS.exists():
        ROWS.parent.mkdir(parents=True, exist_ok=True)
        ROWS.write_text(HEADER, encoding="utf-8")
    with ROWS.open("a", encoding="utf-8") as table:
        table.write(f"{row}\n")


@asynccontextmanager
async def running_rig(servers: LocalServers, folder: Path, **changed: str) -> AsyncIterator[Rig]:
    """The backend on empty topics and a database of its own; logs and data under `folder`."""
    await make_topics_empty(servers.kafka)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(fresh_database(servers.postgres))
        named = Servers(kafka=servers.kafka, postgres=servers.postgres, redis=servers.redis)
        # A broker that comes back leaves a Faust consumer standing still now and then; the runs need not wait long.
        patience = {"DWELL_WATCHDOG_SECONDS": "20"}
        variables = environment(named, database, folder / "home") | patience | changed
        processes = await stack.enter_async_context(Supervised(variables, folder / "log"))
        await processes.start(*SERVICES)
        pool = await stack.enter_async_context(await create_pool(database, "faults"))
        places = await stack.enter_async_context(Places(servers.kafka, pool))
        yield Rig(servers, processes, database, pool, places)
