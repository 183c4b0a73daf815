"""A customer's own topic of events, mirrored by the connector as a process."""

import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from services.common import clock
from services.common.events.appearances import Appearance
from services.common.events.quarantine import Quarantined
from services.common.kafka.admin import ensure_topics
from services.common.topics import Topic
from services.ingest.cameras import CameraBook
from services.ingest.publisher import Publisher
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.simulator.vendor import Bodies
from services.ingest.sources.base import SourceError
from services.ingest.sources.kafka import KafkaSource
from services.ingest.sources.kafka_settings import KafkaSourceSettings
from tests.benchmarks.load import PlainTopic
from tests.support.connector import oracle_of
from tests.support.kafka import read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.vendor_events import STATUS_EVENT, appearance_event
from tests.support.waiting import wait_until


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """One of each test's own: topics outlive a test."""
    return f"customer.{request.node.name}"


@pytest_asyncio.fixture
async def customer(servers: Servers, topics: None, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    await ensure_topics(servers.kafka, [PlainTopic(topic)])
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        yield producer


@pytest.fixture
def ingest(service_process: ServiceProcesses, topic: str) -> ServiceProcesses:
    service_process.environment = {
        **service_process.environment,
        "DWELL_CORSIGHT_SOURCES": "kafka",
        "DWELL_CORSIGHT_KAFKA_TOPIC": topic,
    }
    return service_process


def events(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [appearance_event(number, now=clock.now().timestamp()) for number in numbers]


async def mirrored(servers: Servers, count: int) -> list[str]:
    """The keys of what was mirrored, once there are so many different ones."""

    async def all_there() -> list[str] | None:
        items = await read_items(servers.kafka, Topic.APPEARANCES)
        keys = [item.appearance_key for item in items if isinstance(item, Appearance)]
        return keys if len(set(keys)) >= count else None

    return await wait_until(all_there, 60) or []


async def test_every_record_of_the_topic_is_mirrored_whatever_it_holds(
    customer: AIOKafkaProducer, ingest: ServiceProcesses, servers: Servers, topic: str
) -> None:
    one, two, three = events(range(3))
    for value in (json.dumps(one), json.dumps([two, STATUS_EVENT]), "no JSON", json.dumps(json.dumps(three))):
        await customer.send_and_wait(topic, value.encode())
    await customer.send_and_wait(topic, None, key=b"a tombstone")
    await ingest.start("ingest")
    assert sorted(await mirrored(servers, 3)) == ["track-0", "track-1", "track-2"]
    [appearance, *_] = await read_items(servers.kafka, Topic.APPEARANCES)
    assert isinstance(appearance, Appearance)
    assert appearance.source == "corsight:kafka"
    [refused] = await read_items(servers.kafka, Topic.QUARANTINE)
    assert isinstance(refused, Quarantined)
    assert (refused.reason_code, refused.raw) == ("bad_json", b"no JSON")


async def test_a_killed_mirror_goes_on_where_it_was_and_loses_nothing(
    customer: AIOKafkaProducer, ingest: ServiceProcesses, servers: Servers, topic: str
) -> None:
    await ingest.start("ingest")
    for event in events(range(200)):
        await customer.send(topic, json.dumps(event).encode())
    await customer.flush()
    await mirrored(servers, 1)
    ingest.kill("ingest")
    for event in events(range(200, 400)):
        await customer.send(topic, json.dumps(event).encode())
    await customer.flush()
    await ingest.start("ingest")
    assert set(await mirrored(servers, 400)) == {f"track-{number}" for number in range(400)}


async def test_the_events_of_a_whole_corsight_come_to_the_truth(
    customer: AIOKafkaProducer, ingest: ServiceProcesses, servers: Servers, topic: str
) -> None:
    async def write(bodies: Bodies) -> None:
        for _, body in bodies:
            await customer.send(topic, body)

    told: list[Bodies] = []
    async with CorsightSimulator(seed=3, pace=0, open_for=timedelta(0)) as vendor:
        vendor.vendor.receivers.append(told.append)
        vendor.faults.set(duplicate=0.3, reorder=20)
        await ingest.start("ingest")
        for _ in range(3):
            vendor.tell(300)
        for bodies in told[:2]:
            await write(bodies)
        await customer.flush()
        await mirrored(servers, 10)
        ingest.kill("ingest")
        await write(told[2])
        await customer.flush()
        await ingest.start("ingest")
        truth = oracle_of(vendor.truth()["appearances"])

        async def all_there() -> bool:
            items = await read_items(servers.kafka, Topic.APPEARANCES)
            return oracle_of(item for item in items if isinstance(item, Appearance)) == truth

        await wait_until(all_there, 60)
    assert await read_items(servers.kafka, Topic.QUARANTINE) == []


async def test_a_trial_tells_what_is_there(customer: AIOKafkaProducer, servers: Servers, topic: str) -> None:
    def source(name: str, bootstrap: str = "") -> KafkaSource:
        settings = KafkaSourceSettings(
            kafka=servers.kafka, corsight_kafka_topic=name, corsight_kafka_bootstrap=bootstrap
        )
        return KafkaSource(settings, Publisher(timeout_seconds=1), CameraBook())

    assert f"The topic {topic} is there" in await source(topic).test()
    for wrong, why in (
        (source("nobodys"), "there is no topic nobodys"),
        (source(""), "DWELL_CORSIGHT_KAFKA_TOPIC is empty"),
        (source(Topic.APPEARANCES), "a topic of our own"),
        (source(topic, "127.0.0.1:1"), "Kafka: "),
    ):
        with pytest.raises(SourceError, match=why):
            await wrong.test()
