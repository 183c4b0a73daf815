"""The processor against the ways in which it could have been written."""

from collections.abc import Awaitable, Callable
from functools import partial

from services.common.topics import Topic
from services.processor.app import APP_ID
from tests.benchmarks.baseline import CHANGELOG, EVENTS, NAIVE, PLAIN_LOOP, QUIX, SESSIONS
from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.drain import drain
from tests.benchmarks.live_state import state_bytes_per_event
from tests.benchmarks.load import CAMERAS, PRESENT, Records, bare, bulk, fill, make_topics

APART = True

APPEARANCES = 400_000
NAIVE_EVENTS = 30_000

PAGE = f"""
One process on one core reads a topic that was filled before, timed from its first output to its last; broker and
generator have the other cores. {{bulk:,}} appearances of {CAMERAS} cameras, {PRESENT} subjects present at each, with 43
columns' worth of fields, 500 to a record. All write their state to a changelog, and commit.

- **processor**: `python -m services.processor` as it is deployed.
- **plain loop**: the same merge in a bare aiokafka loop, without recovery, rebalancing, refusals or health: the limit.
- **Quix Streams** 3.28: the same envelopes, a state entry a subject, one output an envelope, a checkpoint every 0.5 s.
- **naive Faust agent**: default settings, one event a record ({{naive:,}} of them), one table write an event, JSON.

The last two keep only the running session of a subject, which is less work than what sessions need here (`revisions`,
late and repeated reports, sessions that melt together). The state written per live event is counted in the changelog:
one item a record, {PRESENT} subjects present at each camera, each record handled alone.
"""


async def measure(bench: Bench) -> Section:
    appearances, naive_events = bench.count(APPEARANCES), bench.count(NAIVE_EVENTS)
    run, load = partial(_run, bench), bulk(appearances)
    found = await bench.compare(
        processor=run("services.processor", APP_ID, load, Topic.APPEARANCES, Topic.SESSIONS),
        loop=run("tests.benchmarks.plain_loop", PLAIN_LOOP, load, Topic.APPEARANCES, SESSIONS),
        quix=run("tests.benchmarks.quix", QUIX, load, Topic.APPEARANCES, SESSIONS),
        naive=run("tests.benchmarks.naive", NAIVE, bare(naive_events), EVENTS, SESSIONS),
        state=partial(state_bytes_per_event, bench),
    )
    processor, loop, quix_streams, faust = (found[name] for name in ("processor", "loop", "quix", "naive"))
    return Section(
        "one process on one core, bulk envelopes",
        PAGE.format(bulk=appearances, naive=naive_events),
        [
            Row("processor", processor, "appearances/s"),
            Row("plain loop", loop, "appearances/s"),
            Row("Quix Streams", quix_streams, "appearances/s"),
            Row("naive Faust agent", faust, "appearances/s"),
            Row("processor ÷ naive Faust agent", processor / faust, "x", Goal(least=15)),
            Row("processor ÷ plain loop", processor / loop, "x", Goal(least=0.5)),
            Row("processor ÷ Quix Streams", processor / quix_streams, "x"),
            Row("state written per live event", found["state"], "bytes", Goal(most=8 * 1024)),
        ],
    )


def _run(
    bench: Bench, module: str, group: str, load: Records, source: str, output: str
) -> Callable[[], Awaitable[float]]:
    """Events a second of ``python -m <module>`` on the one core."""

    async def run() -> float:
        async with bench.services() as processes:
            await make_topics(bench.servers.kafka, EVENTS, SESSIONS, CHANGELOG)
            await fill(bench.servers.kafka, source, load)
            process = processes.spawn(group, "-m", module)
            pin(process.pid, bench.one)
            events = _items(load) if source == Topic.APPEARANCES else len(load)
            drained = await drain(
                bench.servers.kafka, [process], group=group, source=source, output=output, events=events
            )
            return drained.rate

    return run


def _items(load: Records) -> int:
    return sum(value.count(b'"appearance_key"') for _, value in load)
