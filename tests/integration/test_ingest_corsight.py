"""The connector as a process, between a whole simulated Corsight and a real Kafka and PostgreSQL."""

from typing import Any

import pytest

from services.common.events.appearances import Appearance
from services.common.topics import Topic
from services.ingest.simulator.server import CorsightSimulator
from tests.support.connector import oracle_of
from tests.support.kafka import read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.simulated import environment_of
from tests.support.waiting import wait_until


async def appearances(servers: Servers) -> list[Any]:
    return [item for item in await read_items(servers.kafka, Topic.APPEARANCES) if isinstance(item, Appearance)]


@pytest.mark.parametrize("sources", [("sse",), ("history",), ("sse", "history")], ids=",".join)
async def test_a_connector_that_is_killed_goes_on_where_it_was(
    service_process: ServiceProcesses, servers: Servers, sources: tuple[str, ...]
) -> None:
    async with CorsightSimulator(seed=3, pace=0) as vendor:
        service_process.environment = {**service_process.environment, **environment_of(vendor, *sources)}
        vendor.tell(300)
        await service_process.start("ingest")
        vendor.tell(300)

        async def some_are_there() -> bool:
            return len(await appearances(servers)) > 50

        await wait_until(some_are_there)
        vendor.faults.set(drop_every=40)
        vendor.tell(300)
        service_process.kill("ingest")
        vendor.tell(300)
        await service_process.start("ingest")
        vendor.tell(300)

        async def all_are_there() -> bool:
            return oracle_of(await appearances(servers)) == oracle_of(vendor.truth()["appearances"])

        await wait_until(all_are_there, 60)
    assert await read_items(servers.kafka, Topic.QUARANTINE) == []


async def test_a_certificate_is_verified_and_can_be_trusted(
    service_process: ServiceProcesses, servers: Servers
) -> None:
    async with CorsightSimulator(seed=3, pace=0, tls=True) as vendor:
        assert vendor.certificate
        service_process.environment = {
            **service_process.environment,
            **environment_of(vendor, "sse"),
            "DWELL_CORSIGHT_CA_FILE": str(vendor.certificate.certificate),
        }
        vendor.tell(100)
        await service_process.start("ingest")

        async def some_are_there() -> bool:
            return bool(await appearances(servers))

        await wait_until(some_are_there)
