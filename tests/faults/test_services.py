"""Services that crash: at every failpoint, and again and again at random."""

import pytest

from tests.faults.injected import killed_at, killed_often, restarted_on_a_backlog
from tests.faults.rig import Rig

pytestmark = pytest.mark.fault

PLACES = [
    *[
        (service, failpoint)
        for service in ("processor", "insights")
        for failpoint in (
            "state.before_write", "state.before_write:4", "state.after_write", "state.after_write:4",
            "workers.before_ack:2",
        )
    ],
    *[("sink", f"sink.{place}:3") for place in ("before_begin", "before_commit", "after_commit")],
    *[("gateway", f"gateway.{place}:2") for place in ("after_publish", "before_response")],
]  # fmt: skip


@pytest.mark.parametrize(("service", "failpoint"), PLACES)
async def test_a_kill_between_two_steps(rig: Rig, service: str, failpoint: str) -> None:
    await rig.endure(f"{service} killed at {failpoint}", killed_at({service: failpoint}))


@pytest.mark.parametrize("service", ["processor", "insights", "sink", "gateway"])
async def test_twenty_kills_at_random(rig: Rig, service: str) -> None:
    await rig.endure(f"{service} killed 20 times", killed_often(service, 20), pause_seconds=1.0)


async def test_starts_on_a_backlog(rig: Rig) -> None:
    await rig.endure("processor and insights started on a backlog 20 times", restarted_on_a_backlog, pause_seconds=1.0)
