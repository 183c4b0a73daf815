"""A notifier that dies under its clients: each of them hears every alert once and in order, however slow it is."""

import asyncio
import json
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from tests.faults.invariants import PEAK_BYTES
from tests.faults.rig import Rig, Row, record
from tests.support.alerts import alert
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

CLIENTS = 100
SLOW = 5
CAMERAS = 7
KILLS = 5
MISSED = 100_000
"""A client that missed more is told so and reloads; here every one is to be given all."""
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 0.5
SLOW_SECONDS = 0.5
WAIT_SECONDS = 120.0


class Listener:
    """A client that comes back with its cursor, as the dashboard does. `heard` are the numbers of the alerts."""

    def __init__(self, address: str, token: str, pause_seconds: float) -> None:
        self.heard: list[int] = []
        self.not_recovered = 0
        self.pause_seconds = pause_seconds
        self.cursor: str | None = None
        self._address = address
        self._token = token

    async def listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (WebSocketException, OSError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        async with connect(self._address, proxy=None, max_queue=2) as socket:
            hello: dict[str, Any] = {"type": "hello", "token": self._token, "filters": {}, "last": self.cursor}
            await socket.send(json.dumps(hello))
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "welcome":
                    self.not_recovered += self.cursor is not None and not frame["recovered"]
                    self.cursor = self.cursor or frame["cursor"]
                if frame["type"] == "alerts":
                    self.heard += [int(item["alert_id"].removeprefix("alert-")) for item in frame["items"]]
                    self.cursor = frame["cursor"]
                    await asyncio.sleep(self.pause_seconds)


class Publisher:
    def __init__(self) -> None:
        self.sent: list[int] = []
        self.stop = asyncio.Event()

    async def publish(self, kafka: str) -> None:
        async with EventProducer(kafka, "faults") as producer:
            for number in count():
                if self.stop.is_set():
                    return
                await producer.publish(Topic.ALERTS, [alert(number, camera_id=f"c{number % CAMERAS}")], "faults")
                self.sent.append(number)
                await asyncio.sleep(PAUSE_SECONDS)


async def test_clients_of_a_notifier_that_dies(rig: Rig) -> None:
    await rig.processes.start(
        "notifier", DWELL_NOTIFIER_REPLAY_ALERTS=str(MISSED), DWELL_NOTIFIER_REPLAY_RECORDS=str(MISSED)
    )
    address = rig.processes.address("notifier").replace("http", "ws") + "/ws/alerts"
    publisher = Publisher()
    async with rig.sources() as load, asyncio.TaskGroup() as group:
        listeners = [Listener(address, load.token, SLOW_SECONDS if n < SLOW else 0.0) for n in range(CLIENTS)]
        listening = [group.create_task(each.listen()) for each in listeners]

        async def all_listen() -> bool:
            return all(each.cursor for each in listeners)

        async def all_have_heard_more() -> bool:
            return min(len(each.heard) for each in listeners[SLOW:]) > heard + 20

        async def all_have_heard_all() -> bool:
            return all(len(each.heard) >= len(publisher.sent) for each in listeners)

        await wait_until(all_listen)
        group.create_task(publisher.publish(rig.kafka))
        for kill in range(KILLS + 1):
            heard = max(len(each.heard) for each in listeners[SLOW:])
            await wait_until(all_have_heard_more, WAIT_SECONDS)
            if kill < KILLS:
                rig.processes.kill("notifier")
        publisher.stop.set()
        for each in listeners:
            each.pause_seconds = 0.0
        await wait_until(all_have_heard_all, WAIT_SECONDS)
        for task in listening:
            task.cancel()

    sent = publisher.sent
    missing = sum(len(sent) - len(set(each.heard)) for each in listeners)
    again = sum(len(each.heard) - len(set(each.heard)) for each in listeners)
    record(Row(f"notifier killed {KILLS} times with {CLIENTS} clients", len(sent), KILLS, missing, again, 0.0))
    assert (missing, again) == (0, 0)
    for each in listeners:
        assert each.not_recovered == 0
        for camera in range(CAMERAS):
            wanted = [number for number in sent if number % CAMERAS == camera]
            assert [number for number in each.heard if number % CAMERAS == camera] == wanted
    assert rig.processes.peak_bytes["notifier"] < PEAK_BYTES
