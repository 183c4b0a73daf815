"""The runtime over a table in memory: who runs, who is paused, and what is done of what was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from services.ingest import runtime
from services.ingest.commands import Ask
from services.ingest.runtime import Runtime
from services.ingest.sources.base import Source
from services.ingest.status import LOST_INSIGHTS, Fetched
from tests.support.connector import until
from tests.support.sources import FakeSource, RefillableSource
from tests.support.vendor_events import NOON

LATER = NOON + timedelta(minutes=5)


class FakeTable:
    """In the place of PostgreSQL, and as often away as it is told to."""

    def __init__(self) -> None:
        self.away = False
        self.paused_names: set[str] = set()
        self.asks: dict[int, Ask] = {}
        self.answers: dict[int, tuple[bool, str]] = {}
        self.states: list[str] = []

    def __call__(self, _: Any) -> "FakeTable":
        return self

    def _check(self) -> None:
        if self.away:
            raise ConnectionRefusedError("away")

    async def go_on(self, sources: list[Source]) -> None:
        self._check()

    async def paused(self) -> set[str]:
        self._check()
        return set(self.paused_names)

    async def waiting(self) -> list[Ask]:
        return list(self.asks.values())

    async def tell(self, sources: list[Source]) -> None:
        self._check()
        self.states = [source.status.state for source in sources]

    async def answer(self, ask: Ask, *, succeeded: bool, answer: str, fetched: Fetched | None = None) -> None:
        self._check()
        del self.asks[ask.command_id]
        self.answers[ask.command_id] = (succeeded, answer)

    def ask(self, command_id: int, source: str, command: Any) -> None:
        span = (NOON, LATER) if command == "backfill" else (None, None)
        self.asks[command_id] = Ask(command_id, source, command, *span)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> FakeTable:
    table = FakeTable()
    monkeypatch.setattr(runtime, "SourceTable", table)
    monkeypatch.setattr(runtime, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(runtime, "RESTART_SECONDS", 0.01)
    return table


@asynccontextmanager
async def running(*sources: Any, ready: bool = True) -> AsyncIterator[asyncio.Event]:
    class Pool:
        def terminate(self) -> None:
            pass

    async def connect() -> Any:
        return Pool()

    may_start = asyncio.Event()
    if ready:
        may_start.set()
    task = asyncio.create_task(Runtime(sources, connect, may_start).run())
    try:
        yield may_start
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_sources_run_once_kafka_is_there_and_stop_with_the_runtime(table: FakeTable) -> None:
    source = FakeSource()
    async with running(source, ready=False) as ready:
        await until(lambda: table.states == ["starting"])
        assert source.starts == 0
        ready.set()
        await until(lambda: table.states == ["live"])
    assert (source.starts, source.running) == (1, False)


async def test_a_source_is_paused_and_resumed_while_the_others_go_on(table: FakeTable) -> None:
    first, second = FakeSource("sse"), FakeSource("history")
    async with running(first, second):
        await until(lambda: first.running and second.running)
        table.paused_names.add(first.name)
        await until(lambda: table.states == ["paused", "live"])
        assert not first.running
        table.paused_names.clear()
        await until(lambda: table.states == ["live", "live"])
        assert (first.starts, second.starts) == (2, 1)


async def test_a_source_that_was_paused_stays_so_over_a_restart(table: FakeTable) -> None:
    source = FakeSource()
    table.paused_names.add(source.name)
    async with running(source):
        await until(lambda: table.states == ["paused"])
        assert source.starts == 0


async def test_without_postgresql_sources_run_and_are_told_of_when_it_is_back(table: FakeTable) -> None:
    source = FakeSource()
    table.away = True
    async with running(source):
        await until(lambda: source.running)
        assert table.states == []
        table.away = False
        await until(lambda: table.states == ["live"])


async def test_a_fault_in_one_source_stops_no_other_and_is_told(table: FakeTable) -> None:
    broken, sound = FakeSource("sse"), FakeSource("history")
    broken.faults = 2
    async with running(broken, sound):
        await until(lambda: broken.running)
        assert sound.starts == 1
        assert [error.text for error in broken.status.errors] == [
            "stopped by a fault of the connector: RuntimeError: a fault"
        ]


async def test_a_test_is_answered_also_while_the_source_is_paused(table: FakeTable) -> None:
    source = FakeSource()
    table.paused_names.add(source.name)
    table.ask(1, source.name, "test")
    async with running(source):
        await until(lambda: table.answers)
        assert table.answers == {1: (True, "All is well.")}


async def test_a_span_that_is_fetched_again_is_missed_by_no_source_any_more(table: FakeTable) -> None:
    history, stream = RefillableSource("history"), FakeSource("sse")
    stream.status.missed(NOON, LATER, "history was away")
    table.ask(1, history.name, "backfill")
    async with running(history, stream):
        await until(lambda: table.answers)
        assert table.answers == {1: (True, "7 events fetched")}
        assert stream.status.missed_spans == []


async def test_insight_events_are_missed_until_some_are_fetched(table: FakeTable) -> None:
    history = RefillableSource("history")
    history.status.missed(NOON, LATER, LOST_INSIGHTS)
    table.ask(1, history.name, "backfill")
    async with running(history):
        await until(lambda: 1 in table.answers)
        assert [span.reason for span in history.status.missed_spans] == [LOST_INSIGHTS]
        history.insights = 2
        table.ask(2, history.name, "backfill")
        await until(lambda: 2 in table.answers)
        assert history.status.missed_spans == []


@pytest.mark.parametrize(
    ("found", "answer"), [(0, (True, "0 events fetched")), (-1, (False, "Corsight does not answer"))]
)
async def test_a_span_of_which_nothing_came_stays_missed(
    table: FakeTable, found: int, answer: tuple[bool, str]
) -> None:
    history = RefillableSource("history")
    history.found = found
    history.status.missed(NOON, LATER, "history was away")
    table.ask(1, history.name, "backfill")
    async with running(history):
        await until(lambda: table.answers)
        assert table.answers == {1: answer}
        assert len(history.status.missed_spans) == 1


async def test_what_cannot_look_back_says_so(table: FakeTable) -> None:
    table.ask(1, "corsight:webhook", "backfill")
    async with running(FakeSource("webhook")):
        await until(lambda: table.answers)
        assert table.answers == {1: (False, "This source cannot fetch what lies in the past.")}
