"""The connector as a process, in front of a real Kafka."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from deploy.local.ports import free_ports
from services.common import clock
from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.quarantine import Quarantined
from services.common.topics import Topic
from tests.support.connector import oracle_of
from tests.support.environment import WEBHOOK_HEADER, WEBHOOK_SECRET
from tests.support.kafka import read_all, read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.vendor_events import STATUS_EVENT, appearance_event
from tests.support.waiting import wait_until


@pytest_asyncio.fixture
async def ingest(service_process: ServiceProcesses) -> ServiceProcesses:
    service_process.environment = {**service_process.environment, "DWELL_INGEST_HEARTBEAT_SECONDS": "0.5"}
    await service_process.start("ingest")
    return service_process


@pytest_asyncio.fixture
async def webhook(ingest: ServiceProcesses) -> AsyncIterator[httpx.AsyncClient]:
    headers = {WEBHOOK_HEADER: WEBHOOK_SECRET}
    async with httpx.AsyncClient(base_url=ingest.address("ingest"), headers=headers, trust_env=False) as client:
        yield client


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return appearance_event(number, now=clock.now().timestamp(), **fields)


async def heartbeats(servers: Servers) -> list[Camera]:
    found = await read_items(servers.kafka, Topic.CAMERAS)
    return [item for item in found if isinstance(item, Camera)]


async def test_what_the_webhook_accepted_is_in_kafka_and_what_it_refused_in_quarantine(
    webhook: httpx.AsyncClient, servers: Servers
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = await webhook.post(
        "/webhooks/corsight", json=[event(1), event(2, camera_id="")], headers={"traceparent": trace}
    )
    assert (response.status_code, response.json()) == (202, {"accepted": 1, "rejected": 1, "unknown": 0})
    [record] = await read_all(servers.kafka, Topic.APPEARANCES)
    assert record.key == b"c1"
    assert dict(record.headers)["traceparent"].split(b"-")[1] == trace.split("-")[1].encode()
    [appearance] = await read_items(servers.kafka, Topic.APPEARANCES)
    assert isinstance(appearance, Appearance)
    assert (appearance.source, appearance.subject_id) == ("corsight:webhook", "track:track-1")
    assert b"AAAA" not in (record.value or b"")
    [refused] = await read_items(servers.kafka, Topic.QUARANTINE)
    assert isinstance(refused, Quarantined)
    assert refused.reason_code == "missing_camera"


async def test_cameras_are_told_of_again_and_again_and_a_restart_forgets_none(
    ingest: ServiceProcesses, webhook: httpx.AsyncClient, servers: Servers
) -> None:
    await webhook.post("/webhooks/corsight", json=event())

    async def told_of_twice() -> list[Camera] | None:
        found = await heartbeats(servers)
        return found if len(found) > 1 else None

    before = (await wait_until(told_of_twice) or [])[-1]
    assert (before.camera_id, before.source, before.description) == ("c1", "corsight:webhook", "Main entrance")
    ingest.kill("ingest")
    count = len(await heartbeats(servers))
    await ingest.start("ingest")

    async def told_of_after_the_restart() -> Camera | None:
        found = await heartbeats(servers)
        return found[-1] if len(found) > count else None

    assert await wait_until(told_of_after_the_restart) == before

    await webhook.post("/webhooks/corsight", json=STATUS_EVENT)

    async def alive_again() -> bool:
        return (await heartbeats(servers))[-1].heartbeat_at > before.heartbeat_at

    await wait_until(alive_again)


async def test_a_shop_told_of_by_stream_history_and_webhook_is_what_happened_in_it(
    service_process: ServiceProcesses, servers: Servers
) -> None:
    [port] = free_ports(1)
    vendor = f"http://127.0.0.1:{port}"
    service_process.environment = {
        **service_process.environment,
        "DWELL_CORSIGHT_SOURCES": "sse,history,webhook",
        "DWELL_CORSIGHT_URL": vendor,
        "DWELL_CORSIGHT_USERNAME": "dwell",
        "DWELL_CORSIGHT_PASSWORD": "simulated",
        "DWELL_CORSIGHT_RETRY_SECONDS": "1",
        "DWELL_CORSIGHT_HISTORY_INTERVAL_SECONDS": "1",
    }
    webhook = f"{service_process.address('ingest')}/webhooks/corsight"
    options = ("--port", str(port), "--webhook", webhook, "--rate", "40", "--events", "800")
    service_process.spawn("simulator", "-m", "services.ingest.simulator", *options)
    await service_process.start("ingest")

    async with httpx.AsyncClient(trust_env=False) as client:

        async def is_what_happened() -> bool:
            truth = (await client.get(f"{vendor}/oracle")).json()
            found = await read_items(servers.kafka, Topic.APPEARANCES)
            facts = [item for item in found if isinstance(item, Appearance)]
            return truth["told"] == 800 and oracle_of(facts) == oracle_of(truth["appearances"])

        await wait_until(is_what_happened, 120)
    facts = [item for item in await read_items(servers.kafka, Topic.APPEARANCES) if isinstance(item, Appearance)]
    assert {fact.source for fact in facts} == {"corsight:sse", "corsight:history", "corsight:webhook"}
    assert await read_items(servers.kafka, Topic.QUARANTINE) == []
