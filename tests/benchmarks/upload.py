"""The upload path: a CSV's bytes to Kafka's answer, against the same without Kafka and against a row-by-row loader."""

import csv
import json
from itertools import islice
from pathlib import Path

from tests.benchmarks.bench import Bench, Goal, Measured, Row, Section, pin
from tests.benchmarks.bulk import export, load_by_orm
from tests.benchmarks.load import CAMERAS
from tests.support.waiting import wait_until

APART = 1

ROWS = 200_000
LOADER_ROWS = 5_000
LARGE_BYTES = 5_000_000_000
PIECE_ROWS = 5_000
"""The large file is these rows many times, so that what it is made of takes no memory worth telling."""

SECONDS = 900.0

PAGE = f"""
One process on one core reads a CSV of {{rows:,}} rows with the vendor's columns ({{megabytes:.0f}} MB, {CAMERAS}
cameras, one cell in quotes a row) by the code that uploads are read by, small or large: bytes → rows → appearances →
envelopes of 500. The broker has the other cores.

- **to Kafka**: on to the idempotent producer; the clock stops when Kafka has acknowledged every record.
- **without the producer**: the envelopes are thrown away.
- **row-by-row ORM loader**: as under `bulk`, with {{loader_rows:,}} rows of the same file, on the same core.

The memory is the most that the process has taken by the end of a CSV of {{large:.1f}} GB, which is {PIECE_ROWS:,} of
these rows over and over, without the producer.
"""


async def measure(bench: Bench) -> Section:
    rows = max(1, bench.count(ROWS) // CAMERAS) * CAMERAS
    path = bench.folder / "upload.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(export(rows))
    piece = bench.folder / "piece.csv"
    with path.open("rb") as content:
        piece.write_bytes(b"".join(islice(content, PIECE_ROWS + 1)))
    size, loader_rows = path.stat().st_size, bench.count(LOADER_ROWS)
    times = max(1, bench.count(LARGE_BYTES) // piece.stat().st_size)

    async def one_round() -> dict[str, float]:
        return {
            **await _run(bench, "kafka", path, "publish"),
            **await _run(bench, "alone", path),
            "loader": await load_by_orm(bench, path, loader_rows, bench.one),
        }

    # Memory and no time: once is enough.
    large = await _run(bench, "large", piece, times=times)
    found = await bench.repeat(one_round)
    return Section(
        "a CSV's bytes to Kafka's answer, one process on one core",
        PAGE.format(rows=rows, loader_rows=loader_rows, megabytes=size / 1e6, large=times * piece.stat().st_size / 1e9),
        [
            Row("to Kafka", found["kafka"], "rows/s"),
            Row("without the producer", found["alone"], "rows/s"),
            Row("row-by-row ORM loader", found["loader"], "rows/s"),
            Row("to Kafka ÷ without the producer", found["kafka"] / found["alone"], "x", Goal(least=0.5)),
            Row("to Kafka ÷ ORM loader", found["kafka"] / found["loader"], "x", Goal(least=20)),
            Row("to Kafka, CPU", found["kafka cpu"], "s per million"),
            Row("without the producer, CPU", found["alone cpu"], "s per million"),
            Row("memory for a large file", Measured((large["large memory"],)), "MB", Goal(most=400)),
        ],
    )


async def _run(bench: Bench, name: str, path: Path, *arguments: str, times: int = 1) -> dict[str, float]:
    """Rows a second, CPU seconds for a million of them, and the memory in MB."""
    async with bench.services() as processes:
        process = processes.spawn(name, "-m", "tests.benchmarks.upload_path", str(path), str(times), *arguments)
        pin(process.pid, bench.one)

        async def has_ended() -> bool:
            return process.poll() is not None

        await wait_until(has_ended, SECONDS)
        found = json.loads(processes.log(name).read_text())
    return {
        name: found["rows"] / found["seconds"],
        f"{name} cpu": found["cpu_seconds"] / found["rows"] * 1e6,
        f"{name} memory": found["peak_bytes"] / 1e6,
    }
