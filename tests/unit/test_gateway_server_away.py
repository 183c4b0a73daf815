"""PostgreSQL in trouble: a request is told to come again, and an upload is left for the next attempt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import FastAPI

from services.gateway.errors import install_error_handlers
from services.gateway.uploads import progress, tasks

AWAY = [
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    asyncpg.DiskFullError("could not extend file"),
    asyncpg.DeadlockDetectedError("deadlock detected"),
    asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
    asyncpg.ConnectionDoesNotExistError("connection was closed"),
    asyncpg.InterfaceError("pool is closing"),
    OSError("Multiple exceptions: connect call failed"),
    ConnectionRefusedError("connect call failed"),
    TimeoutError(),
]


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The uploads that the worker marks failed; its servers are of no account here."""
    marked: list[str] = []

    @asynccontextmanager
    async def opened(*_: Any, **__: Any) -> AsyncIterator[None]:
        yield None

    async def create(*_: Any, **__: Any) -> Any:
        return opened()

    async def fail(_: Any, upload_id: str, __: str) -> None:
        marked.append(upload_id)

    monkeypatch.setattr(tasks, "create_pool", create)
    monkeypatch.setattr(tasks, "EventProducer", opened)
    monkeypatch.setattr(tasks, "OffsetReader", opened)
    monkeypatch.setattr(progress, "fail", fail)
    return marked


def work_ends_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def work_on(*_: Any) -> None:
        raise error

    monkeypatch.setattr(tasks, "work_on", work_on)


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_a_request_is_told_when_to_come_again(error: Exception) -> None:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def answer() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client:
        response = await client.get("/")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("error", [*AWAY, KafkaConnectionError()], ids=lambda error: type(error).__name__)
def test_an_upload_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, failed: list[str], error: Exception) -> None:
    work_ends_with(monkeypatch, error)
    tasks.process_upload("u1")
    assert failed == []


def test_an_upload_that_would_fail_again_is_marked_failed(monkeypatch: pytest.MonkeyPatch, failed: list[str]) -> None:
    work_ends_with(monkeypatch, asyncpg.UndefinedColumnError("column does not exist"))
    tasks.process_upload("u1")
    assert failed == ["u1"]
