"""What a benchmark is made of: rounds of runs, what was measured in them, and the section that it gives."""

import os
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from redis.asyncio import Redis

from tests.support.databases import fresh_database
from tests.support.environment import environment
from tests.support.kafka import make_topics_empty
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure, once a round. What compares two of them compares within each round, and only then across rounds."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the greatest."""
        return min(self.rounds), max(self.rounds)

    def __truediv__(self, other: "Measured") -> "Measured":
        return Measured(tuple(a / b for a, b in zip(self.rounds, other.rounds, strict=True)))

    def __sub__(self, other: "Measured") -> "Measured":
        return Measured(tuple(a - b for a, b in zip(self.rounds, other.rounds, strict=True)))


@dataclass(frozen=True, slots=True)
class Goal:
    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Row:
    """`unit` is ``x`` for a ratio."""

    what: str
    measured: Measured
    unit: str
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """`text` is Markdown: what was run, and what limits the figures."""

    title: str
    text: str
    rows: list[Row] = field(default_factory=list)


Run = Callable[[], Awaitable[float]]


class Bench:
    """Real servers, and how often and how much to run. What is measured is pinned to one or more of `cores`."""

    def __init__(
        self, servers: Servers, broker: int, folder: Path, cores: list[int], *, rounds: int, scale: float
    ) -> None:
        self.servers = servers
        self.broker = broker
        """Its process."""
        self.folder = folder
        self.scale = scale
        self._rounds = rounds
        self.cores = cores

    @property
    def one(self) -> set[int]:
        """The core of what is measured alone."""
        return {self.cores[0]}

    def count(self, events: int) -> int:
        """So many events, or fewer in a run that is a trial."""
        return max(1, round(events * self.scale))

    async def compare(self, **runs: Run) -> dict[str, Measured]:
        """Every run once a round, in turn, so that whatever slows the machine slows all of them."""

        async def one_of_each() -> dict[str, float]:
            return {name: await run() for name, run in runs.items()}

        return await self.repeat(one_of_each)

    async def repeat(self, one_round: Callable[[], Awaitable[dict[str, float]]]) -> dict[str, Measured]:
        """As many rounds as are asked for, of the figures that one gives by name."""
        rounds: list[dict[str, float]] = []
        for number in range(1, self._rounds + 1):
            started = monotonic()
            rounds.append(await one_round())
            figures = ", ".join(f"{name} {value:,.4g}" for name, value in rounds[-1].items())
            print(f"  round {number} of {self._rounds}, {monotonic() - started:.0f} s: {figures}", flush=True)
        return {name: Measured(tuple(one[name] for one in rounds)) for name in rounds[0]}

    @asynccontextmanager
    async def services(self) -> AsyncIterator[ServiceProcesses]:
        """Services to start, on topics, a database and a Redis that are empty."""
        folder = Path(mkdtemp(dir=self.folder))
        await make_topics_empty(self.servers.kafka)
        async with Redis.from_url(self.servers.redis) as redis:
            await redis.flushall()
        async with fresh_database(self.servers.postgres) as database:
            variables = environment(self.servers, database, folder / "home")
            async with ServiceProcesses(variables, folder / "log") as processes:
                yield processes


def pin(process: int, to: set[int]) -> None:
    """Keep the process, all its threads and those to come, on these cores."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), to)


def give_way(session: int, niceness: int) -> None:
    """Weigh all of the session, as containers are weighed that share a machine."""
    os.setpriority(os.PRIO_PGRP, session, niceness)
    # Where sessions are weighed first, niceness counts within one alone.
    autogroup = Path(f"/proc/{session}/autogroup")
    if autogroup.exists():
        autogroup.write_text(str(niceness))


def cpu_seconds(process: int) -> float:
    """What the process has used so far, in all its threads."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes(process: int) -> int:
    """The most memory that the process has taken so far."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
