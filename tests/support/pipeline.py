"""The backend as one thing: its services on one set of servers, spoken to as its users do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services.common.postgres import create_pool
from tests.support.databases import fresh_database
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD, WEBHOOK_HEADER, WEBHOOK_SECRET, environment
from tests.support.kafka import make_topics_empty
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers

BACKEND = ("gateway", "ingest", "processor", "insights", "sink")

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Pipeline:
    def __init__(self, processes: ServiceProcesses, http: httpx.AsyncClient, database: asyncpg.Pool) -> None:
        self.processes = processes
        self.database = database
        self.kafka = processes.environment["DWELL_KAFKA"]
        self._http = http

    async def login(self) -> None:
        answer = await self._http.post("/api/v1/auth/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
        self._http.headers["Authorization"] = f"Bearer {_checked(answer).json()['access_token']}"

    async def upload(self, name: str, content: bytes) -> Any:
        return _checked(await self._http.post("/api/v1/uploads", files={"file": (name, content)})).json()

    async def get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        return _checked(await self._http.get(path, params=dict(parameters))).json()

    async def get_text(self, path: str, parameters: Mapping[str, Any]) -> str:
        return _checked(await self._http.get(path, params=dict(parameters))).text

    async def delete(self, path: str) -> Any:
        return _checked(await self._http.delete(path)).json()

    async def webhook(self, event: Any) -> None:
        headers = {WEBHOOK_HEADER: WEBHOOK_SECRET}
        answer = await self._http.post(
            f"{self.processes.address('ingest')}/webhooks/corsight", json=event, headers=headers
        )
        _checked(answer)

    @staticmethod
    def appearance(camera_id: str, key: str, seconds: float) -> dict[str, Any]:
        """An `appearances.v1` item of person ``p-<key>``, half a minute long, some seconds after noon."""
        started_at = NOON + timedelta(seconds=seconds)
        ended_at = started_at + timedelta(seconds=30)
        return {
            "appearance_key": key,
            "appearance_id": key,
            "camera_id": camera_id,
            "subject_id": f"p-{key}",
            "person_id": f"p-{key}",
            "started_at": started_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "reported_at": ended_at.isoformat(),
            "age_group": "other",
            "gender": "other",
            "source": "test",
        }


@asynccontextmanager
async def running_pipeline(servers: Servers, folder: Path) -> AsyncIterator[Pipeline]:
    """The backend on empty topics and a database of its own; logs and data under `folder`."""
    await make_topics_empty(servers.kafka)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(fresh_database(servers.postgres))
        variables = environment(servers, database, folder / "home")
        processes = await stack.enter_async_context(ServiceProcesses(variables, folder / "log"))
        await processes.start(*BACKEND)
        client = httpx.AsyncClient(base_url=processes.address("gateway"), timeout=60, trust_env=False)
        http = await stack.enter_async_context(client)
        pool = await stack.enter_async_context(await create_pool(database, "tests"))
        pipeline = Pipeline(processes, http, pool)
        await pipeline.login()
        yield pipeline


def _checked(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.request.method} {answer.request.url} → {answer.status_code}: {answer.text}"
    return answer
