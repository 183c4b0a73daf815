"""A whole Corsight in one process: every service on a port of its own, all of them behind one gateway."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Self

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common import clock
from services.common.runner import Server
from services.ingest.simulator.access import Access, TokenPlace
from services.ingest.simulator.api import SERVICES, Api, HistoryForm
from services.ingest.simulator.certificate import Certificate, make_certificate
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.streams import Streams
from services.ingest.simulator.vendor import Life, Vendor
from services.ingest.simulator.webhooks import MAX_AT_ONCE, Webhooks

EVENTS_PER_PERSON = 60
"""What a visit of usual length comes to."""

PEOPLE_PER_MINUTE = 2.0

OPEN_FOR = timedelta(minutes=15)
"""How long the shop has been open when telling begins: the first screen shows people at once."""

PACED_BEHIND = timedelta(minutes=10)
"""Paced telling begins in the past: until the shop is as full as it gets, its time passes faster than ours."""

MANUAL_BEHIND = timedelta(hours=1)
"""How much may be told on demand before its times lie in the future."""

TICK_SECONDS = 0.01
LIVE_TICK_SECONDS = 0.1
MAX_A_TICK = 2000
STOP_SECONDS = 2


@dataclass(kw_only=True, eq=False)
class CorsightSimulator:
    """``async with CorsightSimulator(seed=1, pace=0) as vendor:`` serves at `vendor.url` until the block ends.

    `pace`: events per second; 0: only what `tell` is asked for; None: each when its time comes. The seed, `begins_at`,
    `people_per_minute` and `open_for` decide all that happens in the shop.
    """

    seed: int = 1
    pace: float | None = None
    people_per_minute: float | None = None
    begins_at: datetime | None = None
    open_for: timedelta | None = None
    """How long the shop has been open before; a paced one opens when telling begins, lest it be long in starting."""
    max_events: int | None = None
    crops: bool = False
    faults: Faults = field(default_factory=Faults)

    username: str = "dwell"
    password: str = "simulated"  # noqa: S105 - of a simulator
    token_seconds: float = 600.0
    token_place: TokenPlace = "both"  # noqa: S105 - a place
    history: HistoryForm = field(default_factory=HistoryForm)

    host: str = "127.0.0.1"
    told_host: str = "127.0.0.1"
    """The host in the address to which the gateway redirects: a container's own, where it runs in one."""
    port: int = 0
    """The gateway's; 0 takes a free one."""
    direct_ports: tuple[int, ...] = (0,) * len(SERVICES)
    tls: bool = False

    webhook: str | None = None
    webhook_secret: str = ""
    webhook_signed: bool = False
    webhook_at_once: int = MAX_AT_ONCE

    def __post_init__(self) -> None:
        now = clock.now()
        begins_at = self.begins_at or self._begin(now)
        life = Life(
            seed=self.seed,
            begins_at=begins_at,
            told_until=max(begins_at, now) if self.pace is None else begins_at,
            people_per_minute=self.people_per_minute or (self.pace or 0) * 60 / EVENTS_PER_PERSON or PEOPLE_PER_MINUTE,
            open_for=(timedelta(0) if self.pace else OPEN_FOR) if self.open_for is None else self.open_for,
            crops=self.crops,
        )
        self.vendor = Vendor(life, self.faults)
        self.access = Access(self.username, self.password, self.token_seconds, self.token_place, self.faults)
        self.streams = Streams()
        self.finished = asyncio.Event()
        self.certificate: Certificate | None = None
        self._exit = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            sockets = [stack.enter_context(_listen(self.host, port)) for port in (self.port, *self.direct_ports)]
            self._ports = [each.getsockname()[1] for each in sockets]
            if self.tls:
                folder = stack.enter_context(TemporaryDirectory(prefix="corsight-"))
                self.certificate = await asyncio.to_thread(make_certificate, Path(folder))
            await stack.enter_async_context(_serving(self._app(), sockets, self.certificate))
            stack.callback(self.streams.close)
            self.vendor.receivers.append(lambda bodies: self.streams.put(self.vendor.frame(bodies)))
            if self.webhook:
                client = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
                self._start(stack, self._webhooks(client, self.webhook).run())
            if self.pace != 0:
                self._start(stack, self._tell_on())
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self._address(0)

    def direct_url(self, service: str) -> str:
        """The address of `cameras`, `history`, `users` or `events` on its own port."""
        return self._address(1 + SERVICES.index(service))

    def tell(self, count: int) -> int:
        """Send the next `count` events at once, whatever their time; fewer where `max_events` ends the telling."""
        if self.max_events is not None:
            count = min(count, self.max_events - self.vendor.told)
        return self._tell(count, None)

    async def watch(self) -> None:
        """Until something fails, which is raised."""
        await asyncio.gather(*self._tasks)
        await asyncio.Event().wait()

    def truth(self, *, named: bool = False) -> dict[str, Any]:
        return self.vendor.truth(named=named)

    def _tell(self, count: int, until: datetime | None) -> int:
        told = self.vendor.tell(count, until)
        if self.vendor.told == self.max_events:
            self.finished.set()
        return told

    async def _tell_on(self) -> None:
        """As time passes, and no faster than the pace allows."""
        begun = monotonic()
        while not self.finished.is_set():
            due = MAX_A_TICK
            if self.pace is not None:
                due = min(due, int((monotonic() - begun) * self.pace) - self.vendor.told)
            if self.max_events is not None:
                due = min(due, self.max_events - self.vendor.told)
            if due > 0:
                self._tell(due, clock.now())
            await asyncio.sleep(LIVE_TICK_SECONDS if self.pace is None else TICK_SECONDS)

    def _start(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        stack.push_async_callback(_stop, task)

    def _webhooks(self, client: httpx.AsyncClient, url: str) -> Webhooks:
        """Who is called cannot ask for the history, so it is told first what was told before."""
        webhooks = Webhooks(
            client, url, self.webhook_secret, signed=self.webhook_signed, max_at_once=self.webhook_at_once
        )
        webhooks.put(body for _, body in self.vendor.snapshot())
        self.vendor.receivers.append(lambda bodies: webhooks.put(body for _, body in bodies))
        return webhooks

    def _app(self) -> ASGIApp:
        """One application for all ports: which service is asked, the port says."""
        port = self._ports[1 + SERVICES.index("events")]
        api = Api(
            self.vendor, self.access, self.streams, self.history, f"{self._scheme}://{self.told_host}:{port}/events"
        )
        apps = dict(zip(self._ports, [api.gateway(), *map(api.direct, SERVICES)], strict=True))

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await apps[scope["server"][1]](scope, receive, send)

        return app

    def _address(self, place: int) -> str:
        return f"{self._scheme}://127.0.0.1:{self._ports[place]}"

    @property
    def _scheme(self) -> str:
        return "https" if self.tls else "http"

    def _begin(self, now: datetime) -> datetime:
        match self.pace:
            case None:
                return now
            case 0:
                return now - MANUAL_BEHIND
            case _:
                return now - PACED_BEHIND


async def _stop(task: asyncio.Task[None]) -> None:
    """Raises what failed meanwhile."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


@asynccontextmanager
async def _serving(app: ASGIApp, sockets: list[socket.socket], certificate: Certificate | None) -> AsyncIterator[None]:
    server = Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_certfile=certificate.certificate if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets))
    while not server.started:
        done, _ = await asyncio.wait([serving], timeout=TICK_SECONDS)
        for failed in done:
            failed.result()
    try:
        yield
    finally:
        server.should_exit = True
        await serving
