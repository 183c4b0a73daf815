"""A Corsight system of a few lines, whose every answer a test can choose."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.waiting import wait_until

USER, PASSWORD = "operator", "a password"

EVENT_PATHS = ("/events", "/events_service/events/")
HISTORY_PATHS = ("/history/", "/history_service/history/")
LOGIN_PATHS = ("/auth/login/", "/users_service/auth/login/")


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: Any


Login = Callable[[str], dict[str, Any]]


def real_login(token: str) -> dict[str, Any]:
    return {
        "metadata": {"msg": "ok"},
        "data": {"token": token, "status": "logged in"},
        "expires_in": 600.0,
        "access_token": token,
        "token_type": "Bearer",
    }


@dataclass
class Vendor:
    login: Login = real_login
    rows: dict[str, list[Any]] = field(default_factory=dict)
    """By database; those that tell when they were sent are found by that."""
    stream: list[bytes] = field(default_factory=list)
    """What the stream sends to everybody who connects; then it says no more, or ends where `ends`."""
    ends: bool = False
    redirects: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Response] = field(default_factory=dict)
    """Instead of the usual one, by path."""
    refusals: dict[str, int] = field(default_factory=dict)
    """By database, the status with which it refuses to tell of it."""
    needs_login: bool = True
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """All that were given; the last is good."""

    def of(self, *paths: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path in paths]

    def spans(self) -> list[tuple[int, int]]:
        """What of the finished tracks was asked for."""
        asked = [each for each in self.of(*HISTORY_PATHS) if each.query["query_db"] == "history_db"]
        bodies = [json.loads(each.body) for each in asked]
        return [(body["from"], body["till"]) for body in bodies]

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        path, raw = request.url.path, await request.body()
        is_form = "form" in request.headers.get("content-type", "")
        body = {name: values[0] for name, values in parse_qs(raw.decode()).items()} if is_form else raw
        self.asked.append(Asked(path, dict(request.headers), dict(request.query_params), body))
        if path in self.redirects:
            return RedirectResponse(self.redirects[path], 307)
        if path in self.answers:
            return self.answers[path]
        if path in LOGIN_PATHS:
            return self._log_in(body)
        if self.needs_login and request.headers.get("authorization") != f"Bearer {self.tokens and self.tokens[-1]}":
            return JSONResponse({"metadata": {"msg": "no such session"}}, 401)
        if path in HISTORY_PATHS:
            return self._page(request.query_params, json.loads(raw))
        if path in EVENT_PATHS:
            return StreamingResponse(self._events(), media_type="text/event-stream")
        return Response(status_code=404)

    def _log_in(self, form: Any) -> Response:
        if (form["username"], form["password"]) != (USER, PASSWORD):
            return JSONResponse({"metadata": {"msg": "wrong password"}}, 401)
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return JSONResponse(self.login(self.tokens[-1]))

    def _page(self, query: Any, body: Any) -> Response:
        if status := self.refusals.get(query["query_db"]):
            return JSONResponse({"metadata": {"msg": "no such database"}}, status)
        rows = [row for row in self.rows.get(query["query_db"], []) if _is_within(row, body)]
        ids = [row and (row.get("appearance_id") or row["appearance_data"]["appearance_id"]) for row in rows]
        start = ids.index(body["after_id"]) + 1 if "after_id" in body else 0
        matches = rows[start : start + int(query["limit"])]
        return JSONResponse({"metadata": {"msg": "ok"}, "data": {"matches": matches}})

    async def _events(self) -> AsyncIterator[bytes]:
        for piece in self.stream:
            yield piece
        if not self.ends:
            await asyncio.Event().wait()


def _is_within(row: Any, body: Any) -> bool:
    sent_at = row and row.get("msg_send_timestamp")
    return sent_at is None or body["from"] <= sent_at <= body["till"]


@asynccontextmanager
async def serving(vendor: Vendor, host: str = "127.0.0.1", certificate: Path | None = None) -> AsyncIterator[Vendor]:
    """The vendor at a port of its own; the certificate's file holds its key too."""
    listener = socket.socket()
    listener.bind((host, 0))
    config = uvicorn.Config(
        vendor.app, log_config=None, lifespan="off", timeout_graceful_shutdown=0, ssl_certfile=certificate
    )
    server = uvicorn.Server(config)
    config.load()
    task = asyncio.create_task(server._serve(sockets=[listener]))
    vendor.url = f"{'https' if certificate else 'http'}://{host}:{listener.getsockname()[1]}"
    try:

        async def has_started() -> bool:
            return server.started

        await wait_until(has_started)
        yield vendor
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
