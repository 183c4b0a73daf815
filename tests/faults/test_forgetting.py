"""A processor that forgets, or begins anew where the log does, so that the sink must repair what it tells."""

from pathlib import Path
from typing import cast

import pytest

from deploy.local.layout import ROOT
from services.common.events.sessions import Session
from services.common.kafka.groups import PROCESSOR
from services.common.topics import Topic
from tests.faults.injected import killed_at
from tests.faults.rig import Fault, Rig
from tests.support.kafka import changelog_of, delete_group, delete_records, delete_topic, read_items
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

FORGETFUL = Path(__file__).parent / "forgetful"

ROUNDS = (
    {"sink": "sink.before_commit:3"},
    {"sink": "sink.after_telling:2"},
    {"sink": "sink.after_commit:3", "processor": "state.before_write:4"},
    {"processor": "state.after_write:4"},
    {"insights": "state.before_write:4"},
)


async def repaired_while_killed(rig: Rig) -> None:
    await rig.processes.start("processor", PYTHONPATH=f"{ROOT}:{FORGETFUL}")
    await rig.accepts_more()
    for places in ROUNDS:
        await killed_at(places)(rig)
    assert await repairs(rig) > 100


def begun_anew(*, in_a_new_group: bool) -> Fault:
    """State gone, and with it the beginning of the log, as after its retention; perhaps the committed offsets too."""

    async def fault(rig: Rig) -> None:
        await rig.accepts_more(1000)
        rig.processes.stop("processor")
        before = await rig.places.committed(PROCESSOR)

        async def are_written() -> bool:
            written = await rig.places.written()
            return all(written.get(place, 0) >= offset for place, offset in before.items())

        await wait_until(are_written, 60)
        await delete_records(rig.kafka, Topic.APPEARANCES, {number: offset for (_, number), offset in before.items()})
        await delete_topic(rig.kafka, await changelog_of(rig.kafka, PROCESSOR))
        if in_a_new_group:
            await delete_group(rig.kafka, PROCESSOR)
        already = await repairs(rig)
        await rig.processes.start("processor")

        async def are_repaired() -> bool:
            return await repairs(rig) > already

        await wait_until(are_repaired, 90)

    return fault


async def repairs(rig: Rig) -> int:
    """Records of `sessions.v1` that the sink has told."""
    told = cast(list[Session], await read_items(rig.kafka, Topic.SESSIONS))
    return sum(session.revision % 2 for session in told)


FAULTS: list[tuple[str, Fault]] = [
    ("a processor with next to no memory, killed in between", repaired_while_killed),
    ("state gone, and the log before it", begun_anew(in_a_new_group=False)),
    ("state, offsets and the log before them gone", begun_anew(in_a_new_group=True)),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_what_was_forgotten_is_put_right(rig: Rig, name: str, fault: Fault) -> None:
    await rig.endure(name, fault)
