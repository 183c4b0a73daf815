"""Several sources of one system, which may know each user in one session only."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.ingest.app import SOURCES, Ingest
from services.ingest.corsight.session import UNVERIFIED
from services.ingest.settings import IngestSettings
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources import sse
from services.ingest.sources.history import PolledHistory
from services.ingest.sources.sse import Sse
from tests.support.connector import Parts, at_work, come_to_the_truth, until


def sources(vendor: CorsightSimulator, parts: Parts) -> tuple[Sse, PolledHistory]:
    system = parts.system(vendor.url)
    return Sse(system, parts.kafka, parts.cameras), PolledHistory(system, parts.kafka, parts.cameras)


async def test_sources_of_one_system_do_not_throw_each_other_out(parts: Parts) -> None:
    async with CorsightSimulator(seed=7, pace=0, faults=Faults(one_session=True)) as vendor:
        stream, history = sources(vendor, parts)
        async with at_work(stream), at_work(history):
            await until(lambda: (stream.status.state, history.status.state) == ("live", "live"))
            for _ in range(5):
                vendor.tell(60)
                history.status.heard_at = None
                await until(lambda: history.status.heard_at)
            await come_to_the_truth(vendor, parts.kafka)
            assert (list(stream.status.errors), list(history.status.errors)) == ([], [])
            assert vendor.access.logins == 1


async def test_a_session_that_another_program_ends_costs_one_login(parts: Parts) -> None:
    async with CorsightSimulator(seed=7, pace=0, faults=Faults(one_session=True)) as vendor:
        stream, history = sources(vendor, parts)
        async with at_work(stream), at_work(history):
            await until(lambda: (stream.status.state, history.status.state) == ("live", "live"))
            _, other = sources(vendor, Parts())
            await other.test()
            vendor.tell(300)
            await come_to_the_truth(vendor, parts.kafka)
            await until(lambda: (stream.status.state, history.status.state) == ("live", "live"))
            assert vendor.access.logins == 3
        await other._system.session.__aexit__()


async def test_the_connector_logs_in_once_for_all_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "TEST_SECONDS", 0.2)
    async with CorsightSimulator(seed=7, pace=0, faults=Faults(one_session=True)) as vendor:
        settings = IngestSettings(
            home=tmp_path,
            corsight_sources=("sse", "history"),
            corsight_url=vendor.url,
            corsight_username=vendor.username,
            corsight_password=vendor.password,
        )
        found = await asyncio.gather(*(source.test() for source in Ingest(settings)._sources))
        assert len(found) == 2
        assert vendor.access.logins == 1


def test_each_source_that_asks_an_unverified_system_warns_of_it(tmp_path: Path) -> None:
    def warning(**others: Any) -> set[str]:
        settings = IngestSettings(home=tmp_path, corsight_sources=tuple(SOURCES), corsight_url="https://c", **others)
        return {source.name for source in Ingest(settings)._sources if UNVERIFIED in source.status.warnings}

    assert warning() == set()
    assert warning(corsight_tls_verify=False) == {"corsight:sse", "corsight:history"}
