"""The processor against the ways in which it could have been written."""

from functools import partial

from services.common.topics import Topic
from services.processor.app import APP_ID
from tests.benchmarks.baseline import CHANGELOG, EVENTS, NAIVE, PLAIN_LOOP, QUIX, SESSIONS
from tests.benchmarks.bench import Bench, Goal, Measured, Row, Section, pin
from tests.benchmarks.drain import drain
from tests.benchmarks.live_state import state_bytes_per_event
from tests.benchmarks.load import CAMERAS, PRESENT, Records, bare, bulk, items_of, make_topics

APART = 1

APPEARANCES = 200_000
NAIVE_EVENTS = 10_000

PAGE = f"""
One process on one core reads what lies in a topic; broker and generator have the other cores. {{bulk:,}} appearances
of {CAMERAS} cameras, {PRESENT} subjects present at each, with 43 columns' worth of fields, 500 to a record. All write
their state to a changelog, and commit. The process has started before, and is stopped while the topic is filled: the
clock runs from there to its last output.

- **processor**: `python -m services.processor` as it is deployed.
- **plain loop**: the same merge in a bare aiokafka loop, without recovery, rebalancing, refusals or health: the
  limit.
- **Quix Streams**: the same envelopes, a state entry a subject, one output an envelope, a checkpoint every 0.5 s; its
  Kafka client (librdkafka) and its state (RocksDB) are compiled.
- **naive Faust agent**: default settings, one event a record ({{naive:,}} of them), one table write an event, JSON.

The last two keep only the running session of a subject, which is less than what sessions need here: revisions, late
and repeated reports, sessions that melt together. The state written per live event is what the changelog grows by:
one item a record, {PRESENT} subjects present at each camera, each record handled alone.
"""


async def measure(bench: Bench) -> Section:
    load, bare_load = bulk(bench.count(APPEARANCES)), bare(bench.count(NAIVE_EVENTS))
    run = partial(_run, bench)

    async def one_round() -> dict[str, float]:
        return {
            **await run("processor", "services.processor", APP_ID, load, Topic.APPEARANCES, Topic.SESSIONS),
            **await run("loop", "tests.benchmarks.plain_loop", PLAIN_LOOP, load, Topic.APPEARANCES, SESSIONS),
            **await run("quix", "tests.benchmarks.quix", QUIX, load, Topic.APPEARANCES, SESSIONS),
            **await run("naive", "tests.benchmarks.naive", NAIVE, bare_load, EVENTS, SESSIONS),
        }

    # A count and no time: once is enough.
    state = Measured((await state_bytes_per_event(bench),))
    found = await bench.repeat(one_round)
    names = {"processor": "processor", "loop": "plain loop", "quix": "Quix Streams", "naive": "naive Faust agent"}
    return Section(
        "one process on one core, bulk envelopes",
        PAGE.format(bulk=items_of(load), naive=items_of(bare_load)),
        [
            *(Row(title, found[name], "appearances/s") for name, title in names.items()),
            Row("processor ÷ naive Faust agent", found["processor"] / found["naive"], "x", Goal(least=15)),
            Row("processor ÷ plain loop", found["processor"] / found["loop"], "x", Goal(least=0.5)),
            Row("processor ÷ Quix Streams", found["processor"] / found["quix"], "x"),
            *(Row(f"{title}, CPU", found[f"{name} cpu"], "s per million") for name, title in names.items()),
            Row("state written per live event", state, "bytes", Goal(most=8 * 1024)),
        ],
    )


async def _run(
    bench: Bench, name: str, module: str, group: str, load: Records, source: str, output: str
) -> dict[str, float]:
    """Appearances a second of ``python -m <module>`` on the one core, and its CPU seconds for a million of them."""
    kafka = bench.servers.kafka
    async with bench.services() as processes:
        await make_topics(kafka, EVENTS, SESSIONS, CHANGELOG)
        process = processes.spawn(name, "-m", module)
        pin(process.pid, bench.one)
        drained = await drain(kafka, [process], group=group, source=source, output=output, load=load)
    return {name: drained.rate, f"{name} cpu": drained.cpu_seconds_per_million}
