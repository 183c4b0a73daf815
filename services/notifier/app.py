"""What the notifier is made of: the consumer that fills the hub, and the sockets that empty it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, WebSocket

from services.common import clock
from services.common.health import health_router
from services.common.runner import serve
from services.notifier.consumer import Consumer, History
from services.notifier.hub import Hub
from services.notifier.settings import NotifierSettings
from services.notifier.socket import ABORT, AlertSocket

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Notifier:
    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._hub = Hub(settings.notifier_recent_alerts)
        self._consumer = Consumer(settings, self._hub)
        self._sockets = AlertSocket(settings, self._hub, History(settings))
        self.app = create_app(self._sockets, self._consumer)

    async def consume(self) -> None:
        await self._consumer.run()

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.notifier_heartbeat_seconds)
            self._hub.heartbeat(clock.now())

    async def serve(self) -> None:
        """Serve until cancelled; then tell every client to come back soon, before its connection goes."""
        serving = asyncio.ensure_future(serve(with_abort(self.app), self._settings.host, self._settings.notifier_port))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            await self._sockets.close()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            raise


def create_app(sockets: AlertSocket, consumer: Consumer) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(health_router({"kafka": consumer.check}))

    @app.websocket("/ws/alerts")
    async def alerts(socket: WebSocket) -> None:
        await sockets.serve(socket)

    return app


def with_abort(app: Asgi) -> Asgi:
    """Puts into a socket's scope how to drop its connection.

    ASGI knows only the polite close, which waits for the peer to take what is buffered: a peer that takes nothing would
    keep its connection and its buffer forever.
    """

    async def abortable(scope: Any, receive: Any, send: Any) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if scope["type"] == "websocket" and transport is not None:
            scope[ABORT] = transport.abort
        await app(scope, receive, send)

    return abortable
