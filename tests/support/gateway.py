"""The gateway inside the test's own process, spoken to over ASGI."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from services.common.postgres import create_pool
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.support.waiting import wait_until

ADDRESS = "http://dashboard.test"


class Gateway:
    def __init__(self, app: FastAPI, settings: GatewaySettings, database: asyncpg.Pool) -> None:
        self.app = app
        self.settings = settings
        self.database = database
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS, timeout=60)

    async def login(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> None:
        answer = await self.http.post("/api/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.http.cookies.clear()

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.http.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def upload(self, content: bytes, name: str = "day.csv", **fields: str) -> httpx.Response:
        return await self.http.post("/api/v1/uploads", files={"file": (name, content)}, data=fields)


def gateway_settings(environment: Mapping[str, str], **changed: Any) -> GatewaySettings:
    named = {name.removeprefix("DWELL_").lower(): value for name, value in environment.items()}
    return GatewaySettings(**{**named, **changed})


@asynccontextmanager
async def running_gateway(settings: GatewaySettings) -> AsyncIterator[Gateway]:
    """Connected to its servers, and logged in as the first admin."""
    app = create_app(settings)
    async with (
        await create_pool(settings.postgres_dsn, "tests") as pool,
        app.router.lifespan_context(app),
    ):
        gateway = Gateway(app, settings, pool)

        async def is_ready() -> bool:
            return (await gateway.http.get("/readyz")).is_success and hasattr(app.state, "resources")

        async with gateway.http:
            await wait_until(is_ready)
            await gateway.login()
            yield gateway
