"""Two processors against one."""

from collections import Counter
from contextlib import AsyncExitStack
from functools import cache
from itertools import count

from aiokafka.partitioner import murmur2

from deploy.local.ports import free_ports
from services.common.topics import PARTITIONS, Topic
from services.processor.app import APP_ID
from tests.benchmarks.bench import Bench, Goal, Measured, Row, Section, pin
from tests.benchmarks.drain import Drained, drain
from tests.benchmarks.load import PRESENT, Records, at_camera, bulk, items_of
from tests.support.kafka import shared_by
from tests.support.processes import ServiceProcesses

APART = 2

APPEARANCES = 360_000
CAMERAS_A_PARTITION = 2

BUSY = 0.9
"""Of the cores' time: above it there is nothing left to win by waiting less."""

PAGE = """
`python -m services.processor` once on one core, and twice on two, on the same {appearances:,} appearances of
{cameras} cameras with {present} subjects present at each, 500 to a record. Each of the twelve partitions has as many
cameras, and each of two processes reads six. The topic is filled before the clock runs: beside the processors only the
broker works, which keeps off their two cores where the machine has more ({cores} here).

Cores busy are the CPU seconds of processors and broker to the last commit by the time to the last output, which is
somewhat less. **As far as CPU goes** is twice the CPU that one processor needs for an event, over what two need
together: what two cores of their own would give. An event costs two processors less than one: a process's buffer holds
128 records, so of six partitions more wait than of twelve, and what waits of a camera is written once.

{limit}
"""


async def measure(bench: Bench) -> Section:
    load = bulk(bench.count(APPEARANCES), _cameras())

    async def one_round() -> dict[str, float]:
        return {
            name: figure
            for of, processes in (("one", 1), ("two", 2))
            for name, figure in _figures(of, await _drain(bench, processes, load)).items()
        }

    found = await bench.repeat(one_round)
    cpu_ratio = Measured(tuple(2 * ratio for ratio in (found["one cpu"] / found["two cpu"]).rounds))
    return Section(
        "two processes on two cores",
        PAGE.format(
            appearances=items_of(load),
            cameras=len(_cameras()),
            present=PRESENT,
            cores=len(bench.cores),
            limit=_limit(found["two busy"].median, len(bench.cores)),
        ),
        [
            Row("one processor", found["one"], "appearances/s"),
            Row("two processors", found["two"], "appearances/s"),
            Row("two ÷ one", found["two"] / found["one"], "x", Goal(least=1.7)),
            Row("two ÷ one, as far as CPU goes", cpu_ratio, "x"),
            Row("one processor, CPU", found["one cpu"], "s per million"),
            Row("two processors together, CPU", found["two cpu"], "s per million"),
            Row("broker beside one, CPU", found["one broker"], "s per million"),
            Row("broker beside two, CPU", found["two broker"], "s per million"),
            Row("one processor and broker", found["one busy"], "cores busy"),
            Row("two processors and broker", found["two busy"], "cores busy"),
        ],
    )


def _figures(name: str, drained: Drained) -> dict[str, float]:
    return {
        name: drained.rate,
        f"{name} cpu": drained.cpu_seconds_per_million,
        f"{name} broker": drained.cpu_seconds_per_million_beside,
        f"{name} busy": (sum(drained.cpu_seconds) + drained.cpu_seconds_beside) / drained.seconds,
    }


def _limit(busy: float, cores: int) -> str:
    if cores > APART:
        return "The broker has cores of its own here, so the measured ratio tells."
    if busy >= BUSY * cores:
        return (
            f"Here the cores are the limit: two processors and the broker keep {busy:.2f} of {cores} busy, so that the "
            "broker takes from the second processor what it needs. The measured ratio is that of this machine, and CPU "
            "tells how they scale."
        )
    return (
        f"Two processors and the broker keep {busy:.2f} of {cores} cores busy here: the rest is waiting, for the "
        "broker's answers and for each other's core."
    )


@cache
def _cameras() -> tuple[int, ...]:
    """The first cameras that give every partition as many."""
    chosen: list[int] = []
    of_partition: Counter[int] = Counter()
    for camera in count():
        partition = (murmur2(next(at_camera(camera)).camera_id.encode()) & 0x7FFFFFFF) % PARTITIONS
        if of_partition[partition] < CAMERAS_A_PARTITION:
            of_partition[partition] += 1
            chosen.append(camera)
        if len(chosen) == PARTITIONS * CAMERAS_A_PARTITION:
            break
    return tuple(chosen)


async def _drain(bench: Bench, processes: int, load: Records) -> Drained:
    kafka = bench.servers.kafka
    async with bench.services() as first, AsyncExitStack() as stack:
        started = []
        for number, port in enumerate(free_ports(processes)):
            own = {"DWELL_INSTANCE_ID": f"processor-{number}", "DWELL_PROCESSOR_PORT": str(port)}
            services = ServiceProcesses({**first.environment, **own}, bench.folder / f"processor-{number}")
            await stack.enter_async_context(services)
            started.append(services.spawn("processor", "-m", "services.processor"))
            pin(started[-1].pid, {bench.cores[number % len(bench.cores)]})
        await shared_by(kafka, APP_ID, processes)
        return await drain(
            kafka,
            started,
            group=APP_ID,
            source=Topic.APPEARANCES,
            output=Topic.SESSIONS,
            load=load,
            beside=[bench.broker],
        )
