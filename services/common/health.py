"""Health endpoints of every service: /healthz (alive), /readyz (dependencies, lag) and /metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

CHECK_SECONDS = 5.0
"""Whoever asks has a deadline too, and a server that is gone may keep a client waiting for minutes."""


@dataclass(frozen=True, slots=True)
class Health:
    """What one check found; `detail` carries the numbers (lag, age of the newest event)."""

    ok: bool
    detail: Mapping[str, Any]


Check = Callable[[], Awaitable[Health]]


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """/readyz answers 503 when any check fails or raises, and says which and why."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        found = {name: await _run(check) for name, check in checks.items()}
        ready = all(health.ok for health in found.values())
        return JSONResponse(
            {
                "status": "ready" if ready else "not ready",
                "checks": {name: {"ok": health.ok, **health.detail} for name, health in found.items()},
            },
            status_code=200 if ready else 503,
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def health_app(checks: Mapping[str, Check]) -> FastAPI:
    """An application that answers nothing but health, for services without an HTTP interface of their own."""
    app = FastAPI(openapi_url=None)
    app.include_router(health_router(checks))
    return app


async def _run(check: Check) -> Health:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return Health(ok=False, detail={"error": f"no answer in {CHECK_SECONDS:g} s"})
    except Exception as error:
        return Health(ok=False, detail={"error": f"{type(error).__name__}: {error}"})
