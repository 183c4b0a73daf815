"""Services that crash: at every failpoint, and again and again at random."""

import pytest

from tests.faults.injected import killed_at, killed_often, restarted_on_a_backlog
from tests.faults.rig import Rig

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

SERVICES = ("processor", "insights", "sink", "gateway")
KILLS = 20

STATE = (
    "state.before_write",
    "state.before_write:4",
    "state.after_write",
    "state.after_write:4",
    "workers.before_ack:2",
)
SINK = ("sink.before_begin:3", "sink.before_commit:3", "sink.after_commit:3")
GATEWAY = ("gateway.after_publish:2", "gateway.before_response:2")

ROUNDS = [
    {"processor": STATE[0], "sink": SINK[0]},
    {"processor": STATE[1], "sink": SINK[1]},
    {"processor": STATE[2], "sink": SINK[2]},
    {"processor": STATE[3], "gateway": GATEWAY[0]},
    {"processor": STATE[4], "gateway": GATEWAY[1]},
    *({"insights": place} for place in STATE),
]
"""Insights alone: it has nothing to do while the processor starts."""


@pytest.mark.parametrize("places", ROUNDS, ids=[" ".join(places.values()) for places in ROUNDS])
async def test_a_kill_between_two_steps(rig: Rig, places: dict[str, str]) -> None:
    killed = " and ".join(f"{service} at {failpoint}" for service, failpoint in places.items())
    await rig.endure(f"killed: {killed}", killed_at(places))


async def test_twenty_kills_at_random(rig: Rig) -> None:
    """Of each service; at times two of them are away together."""
    await rig.endure(
        f"{', '.join(SERVICES)} killed {KILLS} times each", killed_often(SERVICES, KILLS), pause_seconds=0.5
    )


async def test_starts_on_a_backlog(rig: Rig) -> None:
    await rig.endure("processor and insights started on a backlog 10 times", restarted_on_a_backlog, pause_seconds=1.0)
