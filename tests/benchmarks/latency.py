"""From a webhook's answer to the frame at a WebSocket client, against a bare producer and consumer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import time

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from services.common import clock
from services.common.auth import Claims, encode_token, load_token_secret
from services.common.events.alerts import AlertRule
from services.common.kafka.envelopes import decode
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from services.notifier.settings import NotifierSettings
from tests.benchmarks import pair
from tests.benchmarks.bench import Bench, Goal, Row, Section, cpu_seconds
from tests.benchmarks.drain import read_from
from tests.benchmarks.load import CAMERAS, make_topics
from tests.benchmarks.pace import Times, marks, steadily, waited
from tests.benchmarks.webhook_client import WebhookClient
from tests.support.processes import ServiceProcesses
from tests.support.vendor_events import appearance_event
from tests.support.waiting import wait_until

PER_SECOND = 200
EVENTS = PER_SECOND * 30
PAIR_EVENTS = PER_SECOND * 5
WARM_UP_EVENTS = PER_SECOND * 2

WATCHED = 0
"""The camera with a rule."""

SERVICES = ("ingest", "processor", "insights", "sink", "notifier")

HOPS = {"processor": (Topic.APPEARANCES, Topic.SESSIONS), "insights": (Topic.SESSIONS, Topic.ALERTS)}

PAGE = f"""
{PER_SECOND} live events a second for {{seconds:.0f}} s a round, one a request: from the moment at which the webhook
has answered 202 to the moment at which a WebSocket client has the alert that the event raises. Every event is of
somebody new, at one of {CAMERAS} cameras; at one of these cameras each has stayed longer than the one rule allows, so
that one event in {CAMERAS} raises an alert. Ingest, processor, insights, sink, notifier and the servers share all
cores with the generator.

The pair is an aiokafka producer and an aiokafka consumer with default settings (`fetch_max_wait_ms` 500), from the
acknowledgement to the consumer's hands, at the same rate, while the services are idle. A hop is the time between the
writing of an event's record and that of the next: a fetch, the work, a write.
"""


async def measure(bench: Bench) -> Section:
    kafka = bench.servers.kafka
    async with bench.services() as processes:
        await make_topics(kafka, pair.TOPIC)
        started = {name: processes.spawn(name, "-m", f"services.{name}") for name in SERVICES}
        for name in SERVICES:
            await processes.ready(name)
        await _publish_rule(kafka)
        async with _alerts(processes) as alerted:
            live = Live(processes.address("ingest"), alerted)
            await live.run(WARM_UP_EVENTS)

            async def one_round() -> dict[str, float]:
                bare = await pair.pair_latency(kafka, PER_SECOND, bench.count(PAIR_EVENTS))
                before = {name: cpu_seconds(process.pid) for name, process in started.items()}
                accepted = await live.run(bench.count(EVENTS))
                used = {name: cpu_seconds(process.pid) - before[name] for name, process in started.items()}
                return {
                    **marks("pair", bare),
                    **marks("frame", waited(accepted, alerted)),
                    **await _hops(kafka, accepted, alerted),
                    **{f"{name} cpu": seconds * 1000 / bench.count(EVENTS) for name, seconds in used.items()},
                }

            found = await bench.repeat(one_round)
    return Section(
        "live events, from the webhook's answer to the alert's frame",
        PAGE.format(seconds=bench.count(EVENTS) / PER_SECOND),
        [
            Row("webhook to frame, p50", found["frame p50"], "ms"),
            Row("webhook to frame, p99", found["frame p99"], "ms"),
            Row("bare pair, p50", found["pair p50"], "ms"),
            Row("bare pair, p99", found["pair p99"], "ms"),
            Row("above the pair, p50", found["frame p50"] - found["pair p50"], "ms", Goal(most=100)),
            Row("above the pair, p99", found["frame p99"] - found["pair p99"], "ms", Goal(most=400)),
            *(
                Row(f"of it the {hop}, {mark}", found[f"{hop} {mark}"], "ms")
                for hop in (*HOPS, "notifier")
                for mark in ("p50", "p99")
            ),
            *(Row(f"{name}, CPU", found[f"{name} cpu"], "ms an event") for name in SERVICES),
        ],
    )


class Live:
    """Sends events of which each is of somebody new, and waits for the alerts of the watched camera's."""

    def __init__(self, webhook: str, alerted: Times) -> None:
        self._webhook = webhook
        self._alerted = alerted
        self._sent = 0

    async def run(self, events: int) -> Times:
        """When each was accepted, by its subject."""
        accepted: Times = {}

        async def send(number: int) -> None:
            event = appearance_event(number, now=time(), camera_id=f"camera-{number % CAMERAS}")
            await client.post(msgspec.json.encode(event))
            if number % CAMERAS == WATCHED:
                accepted[f"track:{event['appearance_data']['appearance_id']}"] = time()

        async def all_alerted() -> bool:
            return accepted.keys() <= self._alerted.keys()

        async with WebhookClient(self._webhook) as client, asyncio.TaskGroup() as sending:
            async for number in steadily(PER_SECOND, events):
                sending.create_task(send(self._sent + number))
        self._sent += events
        await wait_until(all_alerted, 60)
        return accepted


async def _hops(kafka: str, accepted: Times, alerted: Times) -> dict[str, float]:
    written: dict[Topic, Times] = {}
    for topic in (Topic.APPEARANCES, Topic.SESSIONS, Topic.ALERTS):
        written[topic] = {}
        for record in await read_from(kafka, topic):
            for item in decode(topic, record.value).items:
                if item.subject_id in accepted:
                    written[topic].setdefault(item.subject_id, record.timestamp / 1000)
    found: dict[str, float] = {}
    for hop, (source, output) in HOPS.items():
        found |= marks(hop, waited(written[source], written[output]))
    return found | marks("notifier", waited(written[Topic.ALERTS], alerted))


async def _publish_rule(kafka: str) -> None:
    rule = AlertRule(
        rule_id="stay",
        version=1,
        name="Stay",
        kind="dwell_exceeded",
        threshold=10.0,
        severity="low",
        updated_at=clock.now(),
        cooldown_seconds=0.0,
        camera_ids=[f"camera-{WATCHED}"],
    )
    async with EventProducer(kafka, "benchmark") as producer:
        await producer.publish(Topic.ALERT_RULES, [rule], "benchmark")


@asynccontextmanager
async def _alerts(processes: ServiceProcesses) -> AsyncIterator[Times]:
    """When the first alert of each subject arrived, of all that arrive meanwhile."""
    home = Path(processes.environment["DWELL_HOME"])
    expires_at = clock.now() + timedelta(hours=1)
    claims = Claims(user_id="1", email="viewer@example.com", role="viewer", expires_at=expires_at)
    token = encode_token(claims, load_token_secret(NotifierSettings(home=home, token_secret="")))
    arrived: Times = {}
    address = processes.address("notifier").replace("http", "ws") + "/ws/alerts"
    async with connect(address, proxy=None, compression=None) as socket:
        await socket.send(msgspec.json.encode({"type": "hello", "token": token, "filters": {}, "last": None}).decode())
        await socket.recv()
        receiving = asyncio.create_task(_receive(socket, arrived))
        yield arrived
        receiving.cancel()


async def _receive(socket: ClientConnection, arrived: Times) -> None:
    async for text in socket:
        now = time()
        for alert in msgspec.json.decode(text).get("items", ()):
            arrived.setdefault(alert["subject_id"], now)
