"""``GET /ws/alerts``: hello, welcome, what was missed, and from then on what happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Annotated, Any

import msgspec
from fastapi import WebSocket, WebSocketDisconnect
from msgspec import Meta, Struct, field

from services.common import clock
from services.common.auth import SESSION_COOKIE, Claims, InvalidTokenError, decode_token, load_token_secret
from services.common.logging import get_logger
from services.notifier.consumer import History, HistoryError
from services.notifier.domain.fanout import Filters, Outbox, encode_frame, frames_of
from services.notifier.hub import Client, Farewell, Hub, Standing, count_alerts
from services.notifier.origin import is_allowed
from services.notifier.settings import NotifierSettings

log = get_logger(__name__)

BAD_HELLO = Farewell(4400, "the first message must be a hello", None)
UNAUTHENTICATED = Farewell(4401, "no valid token", None)
FOREIGN_ORIGIN = Farewell(4403, "the cookie does not count from this origin", None)
NO_HISTORY = Farewell(1013, "what was missed cannot be read now", 5.0)
NO_HELLO = Farewell(4408, "no hello in time", 1.0)

FAREWELL_SECONDS = 5.0
"""A client that is sent away for being slow may still take the reason."""

GOODBYE_SECONDS = 3.0
"""The supervisor kills what is still there some seconds after it asked."""

ABORT = "dwell.abort"
"""Where the scope of a socket holds the function that drops its connection at once."""

MAX_FILTER_VALUES = 1000


class HelloFilters(Struct):
    camera_id: Annotated[list[str], Meta(max_length=MAX_FILTER_VALUES)] = field(default_factory=list)
    severity: Annotated[list[str], Meta(max_length=MAX_FILTER_VALUES)] = field(default_factory=list)


class Hello(Struct, tag_field="type", tag="hello"):
    """What a client says first; without `token` its cookie must do."""

    token: str | None = None
    filters: HelloFilters | None = None
    last: str | None = None

    @property
    def wanted(self) -> Filters:
        filters = self.filters or HelloFilters()
        return Filters(frozenset(filters.camera_id), frozenset(filters.severity))


class StalledError(Exception):
    """The client takes nothing."""


_HELLO = msgspec.json.Decoder(Hello)


class AlertSocket:
    """Serves the sockets of all clients; each has a reader and a writer of its own, and stalls nobody else."""

    def __init__(self, settings: NotifierSettings, hub: Hub, history: History) -> None:
        self._settings = settings
        self._hub = hub
        self._history = history
        self._strangers = 0
        self._served: set[asyncio.Task[Any]] = set()

    @cached_property
    def _secret(self) -> str:
        return load_token_secret(self._settings)

    async def close(self) -> None:
        """Tell every client to come back soon; returns when most have heard it."""
        self._hub.close()
        if self._served:
            await asyncio.wait(self._served, timeout=GOODBYE_SECONDS)

    async def serve(self, socket: WebSocket) -> None:
        if not self._hub.is_open or self._is_full():
            await socket.close()
            return
        with self._as_served():
            await socket.accept()
            try:
                await self._serve_accepted(socket)
            except WebSocketDisconnect:
                return
            except (StalledError, TimeoutError):
                _abort(socket)

    async def _serve_accepted(self, socket: WebSocket) -> None:
        with self._as_stranger():
            admitted = await self._admit(socket)
        farewell = admitted if isinstance(admitted, Farewell) else await self._attend(socket, *admitted)
        await self._say(socket, farewell.text, FAREWELL_SECONDS)
        async with asyncio.timeout(FAREWELL_SECONDS):
            await socket.close(farewell.code, farewell.reason)

    def _is_full(self) -> bool:
        return (
            self._strangers >= self._settings.notifier_strangers or self._hub.clients >= self._settings.notifier_clients
        )

    @contextmanager
    def _as_served(self) -> Iterator[None]:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a socket is served by a task")
        self._served.add(task)
        try:
            yield
        finally:
            self._served.discard(task)

    @contextmanager
    def _as_stranger(self) -> Iterator[None]:
        self._strangers += 1
        try:
            yield
        finally:
            self._strangers -= 1

    async def _admit(self, socket: WebSocket) -> tuple[Hello, Claims] | Farewell:
        try:
            async with asyncio.timeout(self._settings.notifier_hello_seconds):
                text = await _receive(socket)
        except TimeoutError:
            return NO_HELLO
        try:
            hello = _HELLO.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return BAD_HELLO
        token = hello.token or socket.cookies.get(SESSION_COOKIE)
        if not hello.token and token and not is_allowed(socket.headers, self._settings.allowed_origins):
            return FOREIGN_ORIGIN
        try:
            return hello, decode_token(token or "", self._secret)
        except InvalidTokenError:
            return UNAUTHENTICATED

    async def _attend(self, socket: WebSocket, hello: Hello, claims: Claims) -> Farewell:
        """Until the client is to leave; raises `WebSocketDisconnect` when it left by itself."""
        client = Client(hello.wanted, Outbox(self._settings.notifier_queue_frames, self._settings.notifier_queue_bytes))
        standing = self._hub.join(client, hello.last)
        reader = asyncio.ensure_future(_read_on(socket))
        writer = asyncio.ensure_future(self._write(socket, client, standing))
        try:
            left_seconds = (claims.expires_at - clock.now()).total_seconds()
            done, _ = await asyncio.wait((reader, writer), timeout=left_seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return client.farewell or UNAUTHENTICATED
        finally:
            self._hub.leave(client)
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _write(self, socket: WebSocket, client: Client, standing: Standing) -> None:
        """The welcome, what was missed, then the client's queue."""
        try:
            missed = await self._missed(standing, client.filters)
        except HistoryError as error:
            log.error("cannot read back", reason=str(error))
            client.send_away(NO_HISTORY)
            return
        if missed is None or standing.last is None:
            await self._say(socket, encode_frame("welcome", cursor=standing.head.encode(), recovered=False))
        else:
            await self._say(socket, encode_frame("welcome", cursor=standing.last.encode(), recovered=True))
            for text in missed:
                await self._say(socket, text)
        while (news := await client.next_text()) is not None:
            await self._say(socket, news)

    async def _missed(self, standing: Standing, filters: Filters) -> list[str] | None:
        """The frames between where the client stood and where it joined: all or none."""
        if standing.last is None:
            return None
        entries = standing.recent
        if entries is None:
            entries = await self._history.between(standing.last, standing.head)
        if entries is None or count_alerts(entries, filters) > self._settings.notifier_replay_alerts:
            return None
        frames = frames_of(entries, standing.last, standing.head)
        return [text for frame in frames if (text := frame.text_for(filters))]

    async def _say(self, socket: WebSocket, text: str, seconds: float | None = None) -> None:
        try:
            async with asyncio.timeout(seconds or self._settings.notifier_send_seconds):
                await socket.send_text(text)
        except TimeoutError as error:
            raise StalledError from error


async def _receive(socket: WebSocket) -> str | bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    return message.get("text") or message.get("bytes") or ""


async def _read_on(socket: WebSocket) -> None:
    """A client has nothing to say after its hello; reading on tells when it leaves."""
    while True:
        await _receive(socket)


def _abort(socket: WebSocket) -> None:
    with suppress(KeyError):
        socket.scope[ABORT]()
