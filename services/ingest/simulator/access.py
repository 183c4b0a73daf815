"""Logins, and what every request must pass."""

import asyncio
import secrets
import uuid
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import JSONResponse

from services.ingest.simulator.faults import Faults

TokenPlace = Literal["both", "data", "top"]


class Refused(Exception):  # noqa: N818 - named for the situation
    """A request is told no, in the vendor's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def refusal(_: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, Refused)
    return JSONResponse({"metadata": {"msg": str(refused)}, "data": {}}, refused.status)


@dataclass
class Access:
    """`token_place` says where in its answer a login has the token."""

    username: str
    password: str
    token_seconds: float
    token_place: TokenPlace
    faults: Faults
    logins: int = 0
    _expire: dict[str, float] = field(default_factory=dict)

    async def work(self) -> None:
        """What may befall every request."""
        if self.faults.slow_seconds:
            await asyncio.sleep(self.faults.slow_seconds)
        if self.faults.errors:
            self.faults.errors -= 1
            raise Refused(500, "internal error")

    async def enter(self, request: Request) -> None:
        """As a dependency: only with a token that is valid now."""
        await self.work()
        if self.faults.unauthorized:
            self.faults.unauthorized -= 1
            self._expire.clear()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._expire.get(token, 0.0) <= monotonic():
            raise Refused(401, "token is missing, unknown or expired")

    def login(self, username: str, password: str, session_seconds: float | None) -> dict[str, Any]:
        if self.faults.refused_logins:
            self.faults.refused_logins -= 1
            raise Refused(401, "wrong username or password")
        right = [
            secrets.compare_digest(given.encode(), known.encode())
            for given, known in ((username, self.username), (password, self.password))
        ]
        if not all(right):
            raise Refused(401, "wrong username or password")
        self.logins += 1
        if self.faults.one_session:
            self._expire.clear()
        token = str(uuid.uuid4())
        seconds = self.token_seconds if session_seconds is None else min(session_seconds, self.token_seconds)
        now = monotonic()
        self._expire = {known: expires for known, expires in self._expire.items() if expires > now}
        self._expire[token] = now + seconds
        return self._answer(username, token, seconds)

    def _answer(self, username: str, token: str, seconds: float) -> dict[str, Any]:
        data = {
            "user_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, username)),
            "name": username,
            "active": True,
            "status": "logged in",
            "permission_names": ["view_events", "view_history"],
            "role_name": "operator",
            "role_data_filters": {"event_filters": {"camera_ids": [], "matches": []}},
        }
        top = {"expires_in": float(seconds), "token_type": "Bearer"}
        if self.token_place in ("both", "data"):
            data["token"] = token
        if self.token_place in ("both", "top"):
            top["access_token"] = token
        return {"metadata": {"msg": "success"}, "data": data, **top}
