"""Around every request: its id, trace and method, and the headers that bind the browser."""

import re
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.kafka.headers import new_traceparent, traceparent
from services.gateway.settings import GatewaySettings

TUS_PATH = "/api/v1/tus"
TUS_VERSION = "1.0.0"

_OVERRIDING = ("PATCH", "DELETE")

_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def live_url(settings: GatewaySettings, connection: HTTPConnection) -> str:
    """Where the browser finds the alert socket: the notifier's port on the host it already talks to."""
    if settings.notifier_url:
        return settings.notifier_url
    scheme = "wss" if connection.url.scheme in ("https", "wss") else "ws"
    host = connection.url.hostname or settings.host
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{settings.notifier_port}/ws/alerts"


class RequestContext:
    """Pure ASGI, so that streamed answers stay streamed."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        given = Headers(scope=scope)
        request_id = given.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        parent = given.get("traceparent", "")
        traceparent.set(parent if _TRACEPARENT.fullmatch(parent) else new_traceparent())
        policy = _content_security_policy(live_url(self._settings, HTTPConnection(scope)))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["content-security-policy"] = policy
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
                if scope["path"].startswith(TUS_PATH):
                    headers["tus-resumable"] = TUS_VERSION
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_headers)


class TusMethodOverride:
    """Some proxies pass no PATCH and no DELETE: tus has senders behind one POST, and name the method in a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(f"{TUS_PATH}/"):
            method = Headers(scope=scope).get("x-http-method-override", "").upper()
            if method in _OVERRIDING:
                scope = {**scope, "method": method}
        await self._app(scope, receive, send)


def _content_security_policy(socket_url: str) -> str:
    socket_origin = "/".join(socket_url.split("/")[:3])
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' {socket_origin}",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            # Chart and dialog libraries place elements by style attributes.
            "style-src 'self' 'unsafe-inline'",
            "script-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
