import asyncio
from typing import Any

import msgspec
import pytest

from services.common.kafka.headers import traceparent
from services.common.kafka.producer import PublishError
from services.common.kafka.quarantine import refuse
from services.common.settings import CommonSettings
from services.ingest import inlet as inlet_module
from services.ingest.cameras import CameraBook
from services.ingest.inlet import TAKEN_AT_ONCE, Inlet
from services.ingest.intake import Taken
from services.ingest.publisher import Publisher
from services.ingest.status import SourceStatus
from tests.support.vendor_events import NOON, appearance_event

NAME = "corsight:sse"


class SlowPublisher(Publisher):
    """Every publication waits until it is let go, and fails with `error` if there is one."""

    def __init__(self) -> None:
        super().__init__(timeout_seconds=1)
        self.taken: list[Taken] = []
        self.traces: list[str | None] = []
        self.let_go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def publish_taken(self, taken: Taken, source: str) -> None:
        self.taken.append(taken)
        self.traces.append(traceparent.get())
        await self.let_go.acquire()
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet_module, "GATHER_SECONDS", 0)


@pytest.fixture
def publisher() -> SlowPublisher:
    return SlowPublisher()


@pytest.fixture
def status() -> SourceStatus:
    return SourceStatus(NAME)


@pytest.fixture
def inlet(publisher: SlowPublisher, status: SourceStatus) -> Inlet:
    return Inlet(CommonSettings(), publisher, CameraBook(), status)


def raws(*numbers: int) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(appearance_event(number))) for number in numbers]


async def rest() -> None:
    """As long as everything takes that waits for nothing."""
    for _ in range(10):
        await asyncio.sleep(0)


def delivering(inlet: Inlet, *numbers: int, trace: str | None = None) -> "asyncio.Task[Any]":
    async def deliver() -> Taken:
        traceparent.set(trace)
        return await inlet.deliver(raws(*numbers), now=NOON)

    return asyncio.create_task(deliver())


def keys(taken: Taken) -> list[str]:
    return [fact.appearance_key for fact in taken.appearances]


async def test_what_comes_while_something_is_published_is_published_together_after_it(
    inlet: Inlet, publisher: SlowPublisher, status: SourceStatus
) -> None:
    first = delivering(inlet, 1, trace="first")
    await rest()
    others = [delivering(inlet, number, trace="other") for number in (2, 3)]
    await rest()
    assert [keys(taken) for taken in publisher.taken] == [["track-1"]]
    assert status.accepted == 0
    publisher.let_go.release()
    assert keys(await first) == ["track-1"]
    await rest()
    assert keys(publisher.taken[1]) == ["track-2", "track-3"]
    assert not any(task.done() for task in others)
    publisher.let_go.release()
    assert [keys(taken) for taken in await asyncio.gather(*others)] == [["track-2"], ["track-3"]]
    assert status.accepted == 3
    assert publisher.traces == ["first", None]


@pytest.mark.parametrize("error", [PublishError("away"), ValueError("a fault of our own")], ids=repr)
async def test_all_that_were_published_together_share_its_failure_and_the_next_tries_anew(
    inlet: Inlet, publisher: SlowPublisher, status: SourceStatus, error: Exception
) -> None:
    publisher.error = error
    tasks = [delivering(inlet, number) for number in range(3)]
    publisher.let_go.release()
    await rest()
    publisher.let_go.release()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(each) for each in failed] == [str(error)] * 3
    assert status.accepted == 0
    publisher.error = None
    publisher.let_go.release()
    assert keys(await inlet.deliver(raws(9), now=NOON)) == ["track-9"]


async def test_whoever_waits_no_more_takes_nothing_from_the_others(inlet: Inlet, publisher: SlowPublisher) -> None:
    first, second, third = (delivering(inlet, number) for number in range(3))
    await rest()
    first.cancel()
    second.cancel()
    await rest()
    for _ in range(2):
        publisher.let_go.release()
    assert keys(await third) == ["track-2"]


async def test_many_elements_are_one_publication_and_leave_others_their_turn(
    inlet: Inlet, publisher: SlowPublisher
) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while not publisher.taken:
            turns += 1
            await asyncio.sleep(0)

    publisher.let_go.release()
    count = 5 * TAKEN_AT_ONCE
    taken, _ = await asyncio.gather(inlet.deliver(raws(*range(count)), now=NOON), others())
    assert (len(publisher.taken), len(taken.appearances)) == (1, count)
    assert turns >= 4


async def test_what_cannot_be_taken_apart_is_kept_and_counted(
    inlet: Inlet, publisher: SlowPublisher, status: SourceStatus
) -> None:
    refusal = refuse(NAME, "bad_json", "no JSON", b"{")
    publisher.let_go.release()
    await inlet.refuse(refusal)
    assert [taken.refused for taken in publisher.taken] == [[refusal]]
    assert (status.accepted, status.rejected) == (0, 1)


@pytest.mark.parametrize(("hours", "accepted"), [(24, 0), (48, 1)])
async def test_how_long_anybody_can_have_stayed_is_a_setting(
    publisher: SlowPublisher, status: SourceStatus, hours: float, accepted: int
) -> None:
    event = appearance_event()
    event["appearance_data"]["utc_time_started"] -= 30 * 3_600
    made = Inlet(CommonSettings(implausible_dwell_hours=hours), publisher, CameraBook(), status)
    publisher.let_go.release()
    taken = await made.deliver([msgspec.Raw(msgspec.json.encode(event))], now=NOON)
    assert (taken.accepted, taken.rejected) == (accepted, 1 - accepted)
