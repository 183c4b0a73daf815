"""Several processes of one service: joining, leaving, and one that was thought dead and is not."""

import asyncio
import signal

import pytest

from services.common.kafka.groups import INSIGHTS, PROCESSOR, SINK
from tests.faults.rig import Fault, Rig
from tests.support.kafka import shared_by

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

ROUNDS = 3

SERVICES = {"processor": PROCESSOR, "insights": INSIGHTS, "sink": SINK}
"""Name → consumer group"""


async def stopped_and_continued(rig: Rig) -> None:
    """Stop processes without ending them until others have their partitions, and let them go on."""
    heirs = [f"{name}-2" for name in SERVICES]
    await rig.processes.start(*heirs)
    for group in SERVICES.values():
        await shared_by(rig.kafka, group, 2)
    await rig.accepts_more()
    for name in SERVICES:
        rig.processes.signal(name, signal.SIGSTOP)
    for group in SERVICES.values():
        await shared_by(rig.kafka, group, 1)
    for name in SERVICES:
        rig.processes.signal(name, signal.SIGCONT)
    await rig.accepts_more(1000)
    for heir in heirs:
        rig.processes.stop(heir)
    await rig.accepts_more()


async def same_identity(rig: Rig) -> None:
    """A supervisor that takes a stopped process for dead starts another of its name, which has its place at once."""
    stopped = await shared_by(rig.kafka, PROCESSOR, 1)
    rig.processes.signal("processor", signal.SIGSTOP)
    await rig.processes.start("processor-twin", DWELL_INSTANCE_ID="processor")
    await shared_by(rig.kafka, PROCESSOR, 1, but=stopped)
    await rig.accepts_more()
    rig.processes.signal("processor", signal.SIGCONT)
    await rig.accepts_more(1000)
    rig.processes.stop("processor-twin")
    await rig.accepts_more()


async def storm(rig: Rig) -> None:
    """One process, three, and one again; the last leaves by a kill."""
    for _ in range(ROUNDS):
        await rig.processes.start("processor-2", "processor-3")
        await shared_by(rig.kafka, PROCESSOR, 3)
        await rig.accepts_more(200)
        rig.processes.stop("processor-2")
        await asyncio.sleep(5)
        rig.processes.kill("processor-3")
        await asyncio.sleep(5)
        rig.processes.stop("processor-3")
        await shared_by(rig.kafka, PROCESSOR, 1)


FAULTS: list[tuple[str, Fault]] = [
    (f"{', '.join(SERVICES)} stopped until others took over", stopped_and_continued),
    ("processor stopped and replaced under its name", same_identity),
    ("processors come and go", storm),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_several_processes_of_a_service(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
