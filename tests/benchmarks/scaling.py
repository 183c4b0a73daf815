"""Two processors against one."""

from contextlib import AsyncExitStack

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from deploy.local.ports import free_ports
from services.common.topics import Topic
from services.processor.app import APP_ID
from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.drain import Drained, drain
from tests.benchmarks.load import CAMERAS, PRESENT, bulk, items_of
from tests.support.processes import ServiceProcesses
from tests.support.waiting import wait_until

APART = 2

APPEARANCES = 200_000

PAGE = f"""
`python -m services.processor` once on one core, and twice on two, on the same {{appearances:,}} appearances of
{CAMERAS} cameras with {PRESENT} subjects present at each, 500 to a record. Each process reads six of the twelve
partitions; how the cameras fall on them is part of the result.

Broker and generator keep off these two cores where the machine has more ({{cores}} here). Where it has not, the
broker takes of the second process what it needs, and twice the rate cannot come of two cores: then the CPU seconds
tell. As long as two processes together need for a million appearances what one needs, nothing but cores is in their
way.
"""


async def measure(bench: Bench) -> Section:
    load = bulk(bench.count(APPEARANCES))

    async def one_round() -> dict[str, float]:
        one = await _drain(bench, 1)
        two = await _drain(bench, 2)
        cpu = {"one cpu": sum(one.cpu_seconds_per_million), "two cpu": sum(two.cpu_seconds_per_million)}
        return {"one": one.rate, "two": two.rate, **cpu}

    found = await bench.repeat(one_round)
    return Section(
        "two processes on two cores",
        PAGE.format(appearances=items_of(load), cores=len(bench.cores)),
        [
            Row("one processor", found["one"], "appearances/s"),
            Row("two processors", found["two"], "appearances/s"),
            Row("two ÷ one", found["two"] / found["one"], "x", Goal(least=1.7)),
            Row("one processor, CPU", found["one cpu"], "s per million"),
            Row("two processors together, CPU", found["two cpu"], "s per million"),
            Row("CPU of two ÷ of one", found["two cpu"] / found["one cpu"], "x"),
        ],
    )


async def _drain(bench: Bench, count: int) -> Drained:
    kafka = bench.servers.kafka
    async with bench.services() as first, AsyncExitStack() as stack:
        started = []
        for number, port in enumerate(free_ports(count)):
            own = {"DWELL_INSTANCE_ID": f"processor-{number}", "DWELL_PROCESSOR_PORT": str(port)}
            processes = ServiceProcesses({**first.environment, **own}, bench.folder / f"processor-{number}")
            await stack.enter_async_context(processes)
            started.append(processes.spawn("processor", "-m", "services.processor"))
            pin(started[-1].pid, {bench.cores[number % len(bench.cores)]})
        await _share(kafka, count)
        return await drain(
            kafka,
            started,
            group=APP_ID,
            source=Topic.APPEARANCES,
            output=Topic.SESSIONS,
            load=bulk(bench.count(APPEARANCES)),
        )


async def _share(kafka: str, count: int) -> None:
    """Wait until so many processes have divided the partitions between them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()

    async def shared() -> bool:
        try:
            [answer] = await admin.describe_consumer_groups([APP_ID])
        except GroupCoordinatorNotAvailableError:
            return False
        [[_, _, state, _, _, members, *_]] = answer.groups
        return state == "Stable" and len(members) == count

    try:
        await wait_until(shared, 60)
    finally:
        await admin.close()
