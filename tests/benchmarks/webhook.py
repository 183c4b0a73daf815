"""Requests a second of the webhook, Kafka's acknowledgement included, against a handler that only reads the body."""

import asyncio
import base64
from collections.abc import Iterator
from itertools import cycle
from time import perf_counter, time
from typing import cast
from urllib.parse import urlsplit

import msgspec

from deploy.local.ports import free_ports
from tests.benchmarks.bench import Bench, Goal, Row, Section, cpu_seconds, pin
from tests.benchmarks.empty_handler import PORT
from tests.benchmarks.load import CAMERAS
from tests.benchmarks.pace import marks, steadily
from tests.benchmarks.webhook_client import WebhookClient
from tests.support.environment import WEBHOOK_HEADER, WEBHOOK_SECRET
from tests.support.vendor_events import live_event

APART = 1

AT_ONCE = 128
"""Requests under way; the connector turns away more than 256."""

REQUESTS = 30_000
WARM_UP = 1_000
EVENTS = 500
"""Different ones, again and again."""

PER_SECOND = 200
STEADY_REQUESTS = PER_SECOND * 20

PICTURE = base64.b64encode(bytes(range(256)) * 14).decode()

PAGE = f"""
One event a request, of some {{kilobytes:.0f}} KB with the vendor's fields and a picture, as the live feed has them.
`python -m services.ingest` as it is deployed has one core; the callers, {AT_ONCE} requests at a time over as many
connections, and the broker have the others. It answers 202 once all replicas of Kafka have the event. The **empty
handler** is FastAPI under the same server on the same core; it reads the same body and answers 202. The answer times
are of {PER_SECOND} requests a second, sent at their times whether or not earlier ones are answered.
"""


async def measure(bench: Bench) -> Section:
    async with bench.services() as processes:
        port = free_ports(1)[0]
        processes.environment = {**processes.environment, PORT: str(port)}
        started = {
            "ingest": processes.spawn("ingest", "-m", "services.ingest").pid,
            "empty_handler": processes.spawn("empty_handler", "-m", "tests.benchmarks.empty_handler").pid,
        }
        for process in started.values():
            pin(process, bench.one)
        await processes.ready("ingest")
        await processes.ready("empty_handler")
        size = len(_bodies()[0])

        async def rate_of(name: str, requests: int) -> float:
            return await _as_fast_as_it_goes(processes.address(name), requests)

        async def one_round() -> dict[str, float]:
            found = {}
            for name in ("empty_handler", "ingest"):
                await rate_of(name, min(WARM_UP, bench.count(REQUESTS)))
                before = cpu_seconds(started[name])
                found[name] = await rate_of(name, bench.count(REQUESTS))
                found[f"{name} cpu"] = (cpu_seconds(started[name]) - before) * 1e6 / bench.count(REQUESTS)
            times = await _steadily(processes.address("ingest"), bench.count(STEADY_REQUESTS))
            return found | marks("answer", times)

        found = await bench.repeat(one_round)
    return Section(
        "the webhook against an empty handler",
        PAGE.format(kilobytes=size / 1024),
        [
            Row("webhook", found["ingest"], "requests/s"),
            Row("empty handler", found["empty_handler"], "requests/s"),
            Row("webhook ÷ empty handler", found["ingest"] / found["empty_handler"], "x", Goal(least=0.5)),
            Row("webhook, CPU", found["ingest cpu"], "µs a request"),
            Row("empty handler, CPU", found["empty_handler cpu"], "µs a request"),
            Row("answer, p50", found["answer p50"], "ms"),
            Row("answer, p99", found["answer p99"], "ms", Goal(most=50)),
        ],
    )


def _bodies() -> list[bytes]:
    now = time()
    return [
        msgspec.json.encode(live_event(number, now=now, camera_id=f"camera-{number % CAMERAS}", picture=PICTURE))
        for number in range(EVENTS)
    ]


async def _as_fast_as_it_goes(address: str, requests: int) -> float:
    """Requests a second over `AT_ONCE` connections."""
    host, port = urlsplit(address).netloc.split(":")
    head = f"POST /webhooks/corsight HTTP/1.1\r\nHost: {host}:{port}\r\n{WEBHOOK_HEADER}: {WEBHOOK_SECRET}\r\n"
    texts = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in _bodies()]
    loop = asyncio.get_running_loop()
    left = iter([text for text, _ in zip(cycle(texts), range(requests), strict=False)])
    callers = [_Caller(left) for _ in range(AT_ONCE)]
    started = perf_counter()
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, host, int(port))  # type: ignore[misc]
    await asyncio.gather(*(caller.done for caller in callers))
    return requests / (perf_counter() - started)


class _Caller(asyncio.Protocol):
    """Sends the next request once the last is answered; takes as little of the generator's core as can be."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 202"):
            self._end(RuntimeError(head.decode()))
            return
        self._answer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionError("closed by the server"))

    def _next(self) -> None:
        if (request := next(self._requests, None)) is not None:
            self._transport.write(request)
            return
        self._end(None)
        self._transport.close()

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)


async def _steadily(address: str, requests: int) -> list[float]:
    """Milliseconds from each request's time to its answer."""
    bodies = _bodies()
    times: list[float] = []

    async def send(number: int) -> None:
        sent = perf_counter()
        await client.post(bodies[number % EVENTS])
        times.append((perf_counter() - sent) * 1000)

    async with WebhookClient(address) as client, asyncio.TaskGroup() as sending:
        async for number in steadily(PER_SECOND, requests):
            sending.create_task(send(number))
    return times
