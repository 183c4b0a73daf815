"""The live stream: bytes from the socket to Kafka's answer, against the same bytes decoded and thrown away."""

import json

from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.connector import SECONDS, deliver
from tests.benchmarks.vendor import live_events
from tests.support.waiting import wait_until

APART = 1

EVENTS = 120_000
DIFFERENT = 3_000

PAGE = """
`python -m services.ingest` as it is deployed, on one core, with the stream alone; Corsight and the broker have the
other cores. {events:,} events of {bytes:,.0f} bytes with their pictures, as fast as they are read, the same
{different:,} over and over: from the request for the stream to Kafka's last answer. The CPU time holds the start.

- **to Kafka**: read, taken apart, normalised, published and acknowledged.
- **decoding alone**: the same bytes, taken apart and normalised by the same code on the same core; nothing is read from
  a socket and nothing is published.
"""


async def measure(bench: Bench) -> Section:
    different = bench.count(DIFFERENT)
    times = EVENTS // DIFFERENT
    path = bench.folder / "stream"
    bodies = live_events(different)
    path.write_bytes(b"".join(b"data: " + body + b"\n\n" for body in bodies))

    async def one_round() -> dict[str, float]:
        found = await deliver(bench, "sse", different * times, "stream", str(path), str(times))
        return {**found, "decoding": await _decode(bench, str(path), str(times))}

    found = await bench.repeat(one_round)
    size = sum(map(len, bodies)) / len(bodies)
    return Section(
        "the live stream to Kafka, one process on one core",
        PAGE.format(events=different * times, different=different, bytes=size),
        [
            Row("to Kafka", found["sse"], "events/s", Goal(least=5_000)),
            Row("decoding alone", found["decoding"], "events/s"),
            Row("to Kafka ÷ decoding alone", found["sse"] / found["decoding"], "x", Goal(least=0.5)),
            Row("to Kafka, CPU", found["cpu"], "s per million"),
            Row("memory", found["memory"], "MB", Goal(most=150)),
        ],
    )


async def _decode(bench: Bench, *arguments: str) -> float:
    async with bench.services() as processes:
        process = processes.spawn("decoding", "-m", "tests.benchmarks.sse_decode", *arguments)
        pin(process.pid, bench.one)

        async def has_ended() -> bool:
            return process.poll() is not None

        await wait_until(has_ended, SECONDS)
        found = json.loads(processes.log("decoding").read_text())
    return float(found["events"] / found["seconds"])
