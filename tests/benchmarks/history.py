"""A day of history, read back at a first start."""

from tests.benchmarks.bench import Bench, Goal, Row, Section
from tests.benchmarks.connector import deliver

APART = 1

ROWS = 500_000

PAGE = """
`python -m services.ingest` as it is deployed, on one core, with history alone, at its first start: a day of {rows:,}
rows without pictures, 300 to a page and an hour to a slice. Corsight and the broker have the other cores. From the
first request to Kafka's last answer; the CPU time holds the start.
"""


async def measure(bench: Bench) -> Section:
    rows = bench.count(ROWS)

    async def one_round() -> dict[str, float]:
        return await deliver(bench, "history", rows, "history", str(rows))

    found = await bench.repeat(one_round)
    return Section(
        "a day of history to Kafka, one process on one core",
        PAGE.format(rows=rows),
        [
            Row("to Kafka", found["history"], "rows/s", Goal(least=10_000)),
            Row("CPU", found["cpu"], "s per million"),
            Row("memory", found["memory"], "MB", Goal(most=150)),
        ],
    )
