"""The gateway while files come in: how soon a small one is answered, and what a large one costs everybody else."""

import asyncio
import csv
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic

import httpx

from deploy.local.services import CELERY, NICENESS
from services.common.postgres import create_pool
from tests.benchmarks.bench import Bench, Goal, Measured, Row, Section, give_way, peak_bytes
from tests.benchmarks.bulk import SERVICES, export
from tests.benchmarks.large_file import PART_BYTES
from tests.benchmarks.load import BEGIN
from tests.benchmarks.pace import marks, steadily
from tests.support.pipeline import Pipeline
from tests.support.processes import ServiceProcesses
from tests.support.waiting import wait_until

INLINE_ROWS = 5_000
INLINE_UPLOADS = 10
"""A round; with so few, the slowest stands for the 95th percentile."""

LARGE_BYTES = 5_000_000_000
BLOCK_ROWS = 200_000
DASHBOARDS = 10
REFETCH_SECONDS = 15
"""As often as a page of the dashboard asks again for what it shows."""

IDLE_SECONDS = 120
BUSY_SECONDS = 180
DRAIN_SECONDS = 600.0

LEAST_PRIORITY = 19
"""Whoever sends a file has a machine of their own."""

DAY = f"from={BEGIN:%Y-%m-%d}&to={BEGIN:%Y-%m-%d}T12:00:00Z"
READS = (
    "/api/v1/alerts?status=open&limit=1",
    f"/api/v1/analytics/summary?{DAY}",
    f"/api/v1/analytics/occupancy/timeline?{DAY}",
    f"/api/v1/analytics/dwell/histogram?{DAY}",
    f"/api/v1/analytics/demographics?{DAY}",
    f"/api/v1/sessions?limit=50&{DAY}",
)

PAGE = f"""
Gateway, Celery worker, processor, insights, sink and the three servers share two cores with those who ask, by the
weights that `docker-compose.yml` gives the services; the process that sends the large file has the lowest.

- **small files**: {{uploads}} uploads a round of {INLINE_ROWS:,} rows each ({{inline:.1f}} MB), one after the other,
  each once all of the one before is in the charts: from the first byte sent to the answer, which comes when Kafka has
  every row.
- **other requests**: those of {DASHBOARDS} dashboards, each of which asks every {REFETCH_SECONDS} s for the open
  alerts, the summary, the occupancy, the dwell times, the demographics and the sessions of the day of the small files:
  for {{idle}} s while nothing else goes on, and while a CSV of {{large:.1f}} GB (tus, parts of {{part:.0f}} MB) is
  received and for {{busy}} s from its first byte is worked on; its rows are of other days.
- **memory**: the most that any process of these services has taken by then.
"""


async def measure(bench: Bench) -> Section:
    uploads = bench.count(INLINE_UPLOADS)
    idle_seconds, busy_seconds = bench.count(IDLE_SECONDS), bench.count(BUSY_SECONDS)
    files = _small_files()
    block = bench.folder / "block.csv"
    block.write_bytes(await asyncio.to_thread(_csv, export(BLOCK_ROWS)))
    times = max(1, bench.count(LARGE_BYTES) // block.stat().st_size)
    async with bench.services() as processes:
        started = {name: processes.spawn(name, "-m", f"services.{name}") for name in SERVICES}
        started["worker"] = processes.spawn("worker", "-m", "celery", *CELERY)
        for name in SERVICES:
            await processes.ready(name)
        for name in NICENESS:
            give_way(started[name].pid, NICENESS[name])
        await wait_until(partial(_worker_listens, processes), 60)
        async with (
            await create_pool(processes.environment["DWELL_POSTGRES"], "benchmark") as pool,
            httpx.AsyncClient(base_url=processes.address("gateway"), timeout=300, trust_env=False) as http,
        ):
            pipeline = Pipeline(processes, http, pool)
            await pipeline.login()

            async def one_round() -> dict[str, float]:
                return {"inline": max([await _upload(pipeline, next(files)) for _ in range(uploads)])}

            found = await bench.repeat(one_round)
            idle = marks("idle", await _read(http, idle_seconds))
            address = processes.address("gateway")
            sender = processes.spawn("sender", "-m", "tests.benchmarks.large_file", address, str(block), str(times))
            give_way(sender.pid, LEAST_PRIORITY)
            busy = marks("busy", await _read(http, busy_seconds))
            assert sender.wait(DRAIN_SECONDS) == 0, processes.log("sender").read_text()
            taken = {name: _most_bytes(process.pid) / 1e6 for name, process in started.items()}
    once = {name: Measured((value,)) for name, value in (idle | busy | taken).items()}
    return Section(
        "other requests and small files, while a large file comes in or nothing does",
        PAGE.format(
            uploads=uploads,
            inline=len(next(files)) / 1e6,
            large=times * block.stat().st_size / 1e9,
            part=PART_BYTES / 1e6,
            idle=idle_seconds,
            busy=busy_seconds,
        ),
        [
            Row(f"{INLINE_ROWS:,} rows to the answer, p95", found["inline"], "s", Goal(most=0.5)),
            Row("other requests, idle, p50", once["idle p50"], "ms"),
            Row("other requests, idle, p99", once["idle p99"], "ms"),
            Row("while a large file comes in, p50", once["busy p50"], "ms"),
            Row("while a large file comes in, p99", once["busy p99"], "ms"),
            Row("p99 while it comes in ÷ idle", once["busy p99"] / once["idle p99"], "x", Goal(most=2)),
            *(Row(f"memory of the {name}", once[name], "MB", Goal(most=400)) for name in taken),
        ],
    )


async def _worker_listens(processes: ServiceProcesses) -> bool:
    return " ready." in processes.log("worker").read_text()


def _small_files() -> Iterator[bytes]:
    """Each of later rows than those before."""
    rows = iter(export(10_000_000))  # of which nearly none are made
    header = next(rows)
    while True:
        yield _csv([header, *islice(rows, INLINE_ROWS)])


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def _upload(pipeline: Pipeline, content: bytes) -> float:
    """Seconds to the answer; returns once the charts have it."""
    started = monotonic()
    upload = await pipeline.upload("small.csv", content)
    seconds = monotonic() - started

    async def is_done() -> bool:
        return bool((await pipeline.get(f"/api/v1/uploads/{upload['upload_id']}", {}))["phase"] == "done")

    await wait_until(is_done, DRAIN_SECONDS)
    return seconds


async def _read(http: httpx.AsyncClient, seconds: float) -> list[float]:
    """Milliseconds of each request."""
    taken: list[float] = []

    async def one(path: str) -> None:
        started = monotonic()
        answer = await http.get(path)
        assert answer.is_success, f"{path}: {answer.status_code}"
        taken.append((monotonic() - started) * 1000)

    per_second = DASHBOARDS * len(READS) / REFETCH_SECONDS
    async with asyncio.TaskGroup() as sending:
        async for number in steadily(per_second, round(per_second * seconds)):
            sending.create_task(one(READS[number % len(READS)]))
    return taken


def _most_bytes(process: int) -> int:
    """The most memory that the process or one of its children has taken."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return max([peak_bytes(process), *(peak_bytes(int(child)) for child in children)])
