"""The notifier as a process: real sockets, fed from a real Kafka."""

import json
import socket as sockets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from services.common import clock
from services.common.auth import SESSION_COOKIE, Claims, encode_token, load_token_secret
from services.common.events.alerts import Alert
from services.common.events.cameras import Camera
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from services.notifier.settings import NotifierSettings
from tests.support.alerts import alert
from tests.support.kafka import make_topics_empty
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers

Frame = dict[str, Any]


@pytest_asyncio.fixture
async def producer(servers: Servers, topics: None) -> AsyncIterator[EventProducer]:
    async with EventProducer(servers.kafka, "test") as opened:
        yield opened


class Notifier:
    """The process under test, with settings of its own, and its clients."""

    def __init__(self, processes: ServiceProcesses, **settings: str) -> None:
        self._processes = processes
        changed = {f"DWELL_NOTIFIER_{name.upper()}": value for name, value in settings.items()}
        processes.environment = {**processes.environment, **changed}
        self._address = processes.address("notifier").replace("http", "ws") + "/ws/alerts"

    async def start(self) -> "Notifier":
        await self._processes.start("notifier")
        return self

    def stop(self) -> None:
        self._processes.stop("notifier")

    def kill(self) -> None:
        self._processes.kill("notifier")

    def token(self, seconds: float = 600) -> str:
        home = Path(self._processes.environment["DWELL_HOME"])
        claims = Claims(
            user_id="1", email="v@example.com", role="viewer", expires_at=clock.now() + timedelta(seconds=seconds)
        )
        return encode_token(claims, load_token_secret(NotifierSettings(home=home, token_secret="")))

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[ClientConnection]:
        async with connect(self._address, proxy=None, **options) as opened:
            yield opened

    @asynccontextmanager
    async def client(
        self, last: str | None = None, filters: Frame | None = None, token: str | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        async with self.socket(**options) as opened:
            hello = {"type": "hello", "token": token or self.token(), "filters": filters or {}, "last": last}
            await opened.send(json.dumps(hello))
            yield opened


async def receive(socket: ClientConnection, kind: str) -> Frame:
    """The next frame, which must be of that kind; heartbeats in between do not count."""
    while True:
        frame: Frame = json.loads(await socket.recv())
        if frame["type"] == kind or frame["type"] != "heartbeat":
            assert frame["type"] == kind, frame
            return frame


async def receive_alerts(socket: ClientConnection, count: int) -> tuple[list[str], str]:
    """The ids of so many alerts, and the cursor after them."""
    found: list[str] = []
    cursor = ""
    while len(found) < count:
        frame = await receive(socket, "alerts")
        found += [item["alert_id"] for item in frame["items"]]
        cursor = frame["cursor"]
    return found, cursor


async def receive_until_closed(socket: ClientConnection, cursor: str) -> tuple[list[str], str]:
    """The ids of all alerts that still come, and the cursor after them; the socket may be closed without a word."""
    found: list[str] = []
    try:
        while (frame := json.loads(await socket.recv()))["type"] != "bye":
            if frame["type"] == "alerts":
                found += [item["alert_id"] for item in frame["items"]]
                cursor = frame["cursor"]
    except ConnectionClosed:
        pass
    return found, cursor


async def farewell(socket: ClientConnection) -> tuple[Frame, int | None]:
    """What is said in parting, and the code with which the socket is closed."""
    bye = await receive(socket, "bye")
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    return bye, closed.value.rcvd.code if closed.value.rcvd else None


async def publish(producer: EventProducer, alerts: Iterable[Alert]) -> None:
    """One record each, in order."""
    for each in alerts:
        await producer.publish(Topic.ALERTS, [each], "test")


def ids(numbers: Iterable[int]) -> list[str]:
    return [f"alert-{number}" for number in numbers]


class TestListening:
    async def test_a_client_hears_live_alerts_that_pass_its_filters_and_none_of_the_past(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        await publish(producer, [alert(0)])
        notifier = await Notifier(service_process).start()
        async with notifier.client() as everything, notifier.client(filters={"camera_id": ["c2"]}) as one_camera:
            assert (await receive(everything, "welcome"))["recovered"] is False
            await receive(one_camera, "welcome")
            await publish(producer, [alert(1), alert(2, live=False), alert(3, camera_id="c2"), alert(4)])
            assert sorted((await receive_alerts(everything, 3))[0]) == ids([1, 3, 4])
            assert (await receive_alerts(one_camera, 1))[0] == ids([3])

    async def test_the_heartbeat_tells_of_the_sources(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        now = clock.now()
        camera = Camera(camera_id="c1", source="corsight:webhook", heartbeat_at=now, last_seen_at=now)
        await producer.publish(Topic.CAMERAS, [camera], "test")
        notifier = await Notifier(service_process, heartbeat_seconds="0.2").start()
        async with notifier.client() as client:
            await receive(client, "welcome")
            heartbeat = await receive(client, "heartbeat")
        assert heartbeat["newest_event_time"] == heartbeat["source_heartbeat_at"]
        assert heartbeat["newest_event_time"] is not None


class TestComingBack:
    async def test_after_a_kill_every_alert_since_comes_once_and_in_order(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        notifier = await Notifier(service_process).start()
        async with notifier.client() as client:
            await receive(client, "welcome")
            await publish(producer, map(alert, range(3)))
            found, cursor = await receive_alerts(client, 3)
        notifier.kill()
        await publish(producer, map(alert, range(3, 6)))
        await notifier.start()
        await publish(producer, map(alert, range(6, 9)))
        async with notifier.client(last=cursor) as client:
            assert (await receive(client, "welcome"))["recovered"] is True
            await publish(producer, map(alert, range(9, 12)))
            more, _ = await receive_alerts(client, 9)
        assert found + more == ids(range(12))

    async def test_what_memory_no_longer_holds_is_read_from_the_log(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        notifier = await Notifier(service_process, recent_alerts="12", replay_alerts="40").start()
        async with notifier.client() as client:
            start = (await receive(client, "welcome"))["cursor"]
        await publish(producer, (alert(number, live=number % 2 == 0) for number in range(80)))
        async with notifier.client(last=start) as client:
            assert (await receive(client, "welcome"))["recovered"] is True
            found, _ = await receive_alerts(client, 40)
        assert found == ids(range(0, 80, 2))

    async def test_too_much_missed_is_given_not_in_part_but_not_at_all(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        notifier = await Notifier(service_process, replay_alerts="5").start()
        async with notifier.client() as client:
            start = (await receive(client, "welcome"))["cursor"]
            await publish(producer, map(alert, range(6)))
            await receive_alerts(client, 6)
        async with notifier.client(last=start) as client:
            welcome = await receive(client, "welcome")
            assert welcome["recovered"] is False
            await publish(producer, [alert(6)])
            assert (await receive_alerts(client, 1))[0] == ids([6])
        async with notifier.client(last=welcome["cursor"]) as client:
            assert (await receive(client, "welcome"))["recovered"] is True

    async def test_a_topic_that_was_made_anew_is_another_log(
        self, service_process: ServiceProcesses, producer: EventProducer, servers: Servers
    ) -> None:
        notifier = await Notifier(service_process).start()
        async with notifier.client() as client:
            cursor = (await receive(client, "welcome"))["cursor"]
        notifier.stop()
        await make_topics_empty(servers.kafka)
        await notifier.start()
        async with notifier.client(last=cursor) as client:
            assert (await receive(client, "welcome"))["recovered"] is False


NO_PROPER_HELLOS = [
    ('{"type":"hello","token":"nonsense"}', 4401),
    ('{"type":"hello"}', 4401),
    ('{"type":"goodbye"}', 4400),
    ("no JSON", 4400),
    ('{"type":"hello","filters":{"camera_id":7}}', 4400),
    ("[" * 10_000, 4400),
]


class TestAdmission:
    async def test_who_does_not_say_a_proper_hello_is_sent_away(self, service_process: ServiceProcesses) -> None:
        notifier = await Notifier(service_process).start()
        for text, code in NO_PROPER_HELLOS:
            async with notifier.socket() as socket:
                await socket.send(text)
                bye, closed = await farewell(socket)
            assert (bye["code"], closed, bye["retry_after"]) == (code, code, None), text
        async with notifier.socket() as socket:
            await socket.send("x" * 200_000)
            with pytest.raises(ConnectionClosedError):
                await socket.recv()

    async def test_who_says_nothing_is_sent_away_and_strangers_are_few(self, service_process: ServiceProcesses) -> None:
        notifier = await Notifier(service_process, hello_seconds="1", strangers="1").start()
        async with notifier.socket() as silent:
            with pytest.raises(InvalidStatus):
                async with notifier.socket():
                    pass
            assert (await farewell(silent))[1] == 4408
        async with notifier.client() as client:
            await receive(client, "welcome")

    async def test_a_browser_needs_only_its_cookie_but_not_from_a_foreign_page(
        self, service_process: ServiceProcesses
    ) -> None:
        notifier = await Notifier(service_process).start()
        cookie = {"Cookie": f"{SESSION_COOKIE}={notifier.token()}"}
        hello = '{"type":"hello","token":null,"filters":{},"last":null}'
        async with notifier.socket(additional_headers=cookie, origin="http://127.0.0.1:8000") as socket:
            await socket.send(hello)
            await receive(socket, "welcome")
        async with notifier.socket(additional_headers=cookie, origin="http://evil.example") as socket:
            await socket.send(hello)
            assert (await farewell(socket))[1] == 4403

    async def test_a_socket_does_not_outlive_its_token(self, service_process: ServiceProcesses) -> None:
        notifier = await Notifier(service_process).start()
        async with notifier.client(token=notifier.token(seconds=3)) as client:
            await receive(client, "welcome")
            assert (await farewell(client))[1] == 4401


class TestParting:
    async def test_at_the_end_every_client_is_told_to_come_back(self, service_process: ServiceProcesses) -> None:
        notifier = await Notifier(service_process).start()
        async with notifier.client() as client:
            await receive(client, "welcome")
            notifier.stop()
            bye, closed = await farewell(client)
        assert (bye["code"], closed) == (1012, 1012)
        assert bye["retry_after"] > 0

    async def test_a_client_that_cannot_keep_up_is_dropped_the_others_miss_nothing_and_it_recovers(
        self, service_process: ServiceProcesses, producer: EventProducer
    ) -> None:
        count = 20_000
        notifier = await Notifier(service_process, queue_frames="8", replay_alerts=str(count)).start()
        narrow = sockets.socket()
        narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        narrow.connect(("127.0.0.1", int(service_process.environment["DWELL_NOTIFIER_PORT"])))
        stalled_options: dict[str, Any] = {"sock": narrow, "compression": None, "max_queue": 1}
        async with notifier.client(**stalled_options) as stalled, notifier.client() as healthy:
            cursor = (await receive(stalled, "welcome"))["cursor"]
            await receive(healthy, "welcome")
            heard: list[str] = []
            for first in range(0, count, 500):
                await producer.publish(Topic.ALERTS, map(alert, range(first, first + 500)), "test")
                heard += (await receive_alerts(healthy, 500))[0]
            assert heard == ids(range(count))
            before, cursor = await receive_until_closed(stalled, cursor)
        assert len(before) < count
        async with notifier.client(last=cursor) as back:
            assert (await receive(back, "welcome"))["recovered"] is True
            after, _ = await receive_alerts(back, count - len(before))
        assert before + after == ids(range(count))
