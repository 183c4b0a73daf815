"""When a stream processor counts as standing still, and when as having slept too long."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from services.common.health import Health
from services.common.kafka import watchdog
from services.common.kafka.lag import Place
from services.common.kafka.watchdog import Pulse, Standstill, Watchdog
from services.common.settings import CommonSettings
from services.common.topics import Topic

A, B = TopicPartition("appearances.v1", 0), TopicPartition("appearances.v1", 1)
LIMIT = 60.0
NONE: Mapping[Any, int] = {}


class Observed:
    """A standstill that looks every 30 s."""

    def __init__(self) -> None:
        self._standstill = Standstill(LIMIT)
        self._now = 0.0

    def look(
        self, *places: tuple[int, int], own: tuple[TopicPartition, ...] = (A, B), activity: Mapping[Any, int] = NONE
    ) -> Any:
        self._now += 30
        by_partition = {partition: Place(*place) for partition, place in zip((A, B), places, strict=True)}
        return self._standstill.judge(by_partition, own, activity.get, self._now)


def test_records_that_wait_while_the_offset_stays_are_a_standstill() -> None:
    observed = Observed()
    looks = [observed.look((4, 9), (7, 7)) for _ in range(3)]
    assert looks == [[], [], [A]]


def test_an_offset_that_moves_or_a_log_read_to_its_end_is_none() -> None:
    observed = Observed()
    assert [observed.look((offset, 9), (7, 7)) for offset in (4, 5, 6, 7, 8)] == [[]] * 5


def test_waiting_counts_from_the_record_that_waits_and_not_from_the_quiet_before_it() -> None:
    observed = Observed()
    looks = [observed.look((4, end), (7, 7)) for end in (4, 4, 4, 5, 5, 5)]
    assert looks == [[], [], [], [], [], [A]]


def test_recovery_that_gets_on_is_no_standstill() -> None:
    observed = Observed()
    assert [observed.look((4, 9), (7, 7), activity={A: n}) for n in range(5)] == [[]] * 5


def test_what_another_partition_gets_done_is_no_sign_of_life() -> None:
    observed = Observed()
    looks = [observed.look((4, 9), (n, 100), activity={B: n}) for n in range(3)]
    assert looks == [[], [], [A]]


def test_a_process_answers_for_its_own_partitions_and_for_all_while_it_has_none() -> None:
    of_another, unassigned = Observed(), Observed()
    assert [of_another.look((4, 9), (7, 7), own=(B,)) for _ in range(3)][-1] == []
    assert [unassigned.look((4, 9), (7, 7), own=()) for _ in range(3)][-1] == [A]


def test_a_partition_that_comes_back_is_judged_anew() -> None:
    observed = Observed()
    looks = [observed.look((4, 9), (7, 7), own=own) for own in ((A, B), (A, B), (B,), (A, B), (A, B), (A, B))]
    assert looks == [[], [], [], [], [], [A]]


class Ended(BaseException):
    """Instead of the end of the process."""


class Broker:
    """Each opening answers the looks that it is made of, or fails, or answers no more."""

    def __init__(self, *openings: list[Place | Exception | None]) -> None:
        self.looks = 0
        self._openings = list(openings)

    async def __aenter__(self) -> Self:
        self._answers = iter(self._openings.pop(0))
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def places(self) -> Mapping[TopicPartition, Place]:
        self.looks += 1
        answer = next(self._answers)
        if answer is None:
            await asyncio.Event().wait()
        if not isinstance(answer, Place):
            raise answer or AssertionError
        return {A: answer}

    async def check(self) -> Health:
        return Health(ok=True, detail={"looks": self.looks})


class TestWatchdog:
    async def looks(self, monkeypatch: pytest.MonkeyPatch, broker: Broker, own: set[TopicPartition]) -> int:
        """How many it took until the end."""

        def end(*_: object, **__: object) -> None:
            raise Ended

        now = iter(range(0, 9_000, 30))
        monkeypatch.setattr(watchdog, "LagProbe", lambda *_: broker)
        monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0)
        monkeypatch.setattr(watchdog, "LOOK_LIMIT_SECONDS", 0.05)
        monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=lambda: next(now)))
        monkeypatch.setattr(watchdog, "end_process", end)
        settings = CommonSettings(watchdog_seconds=LIMIT)
        watching = Watchdog(settings, "dwell-sink", (Topic.APPEARANCES,), lambda: own, lambda _: 0)
        assert not (await watching.check()).ok
        with pytest.raises(Ended):
            await watching.run()
        assert (await watching.check()).detail == {"looks": broker.looks}
        return broker.looks

    async def test_it_ends_a_process_whose_records_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert await self.looks(monkeypatch, Broker([Place(4, 9)] * 9), {A}) == 3

    @pytest.mark.parametrize("trouble", [KafkaConnectionError("away"), None], ids=["away", "no answer"])
    async def test_while_kafka_tells_nothing_no_time_is_counted_and_then_it_looks_again(
        self, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
    ) -> None:
        broker = Broker([Place(4, 9), Place(4, 9), trouble], [Place(4, 9)] * 9)
        assert await self.looks(monkeypatch, broker, {A}) == 6


@pytest.mark.parametrize(("asleep", "ends"), [(13.9, False), (14.1, True)])
async def test_a_process_that_slept_for_longer_than_its_session_ends(asleep: float, ends: bool) -> None:
    pulse = Pulse(14.0)
    with (
        patch("services.common.kafka.watchdog.time.monotonic", return_value=100.0) as clock,
        patch("services.common.kafka.watchdog.end_process") as end_process,
    ):
        pulse.check()
        pulse.start()
        await asyncio.sleep(0)
        clock.return_value += asleep
        pulse.check()
    assert end_process.called == ends
