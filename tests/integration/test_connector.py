"""The connector in front of a simulated Corsight, with the backend behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from deploy.local.ports import free_ports
from services.common import clock
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.server import CorsightSimulator
from tests.faults.load import csv_of
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD, WEBHOOK_HEADER, WEBHOOK_SECRET
from tests.support.processes import ServiceProcesses
from tests.support.simulated import appearances_of, environment_of, has_sessions_of
from tests.support.vendor_events import appearance_event
from tests.support.waiting import wait_until


@asynccontextmanager
async def logged_in(processes: ServiceProcesses) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=processes.address("gateway"), timeout=60, trust_env=False) as client:
        answer = await client.post("/api/v1/auth/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


async def sources(client: httpx.AsyncClient) -> dict[str, Any]:
    return {source["name"]: source for source in (await client.get("/api/v1/sources")).json()["items"]}


async def test_what_comes_by_every_way_counts_once_and_moves_to_its_person_when_one_of_them_knows_it(
    service_process: ServiceProcesses, pool: asyncpg.Pool
) -> None:
    webhook = f"{service_process.address('ingest')}/webhooks/corsight"
    faults = Faults(one_session=True)
    async with CorsightSimulator(
        seed=5, pace=0, webhook=webhook, webhook_secret=WEBHOOK_SECRET, faults=faults
    ) as vendor:
        service_process.environment = {
            **service_process.environment,
            **environment_of(vendor, "sse", "history", "webhook"),
        }
        await service_process.start("gateway", "ingest", "processor", "sink")
        async with logged_in(service_process) as client:

            async def all_live() -> bool:
                return {source["state"] for source in (await sources(client)).values()} == {"live"}

            await wait_until(all_live, 60)
            for _ in range(5):
                vendor.tell(100)
                await asyncio.sleep(0.2)
            await has_sessions_of(pool, vendor.truth())
            assert {
                subject.partition(":")[0] for (subject,) in await pool.fetch("SELECT subject_id FROM sessions")
            } <= {"track", "poi"}

            async def all_told() -> bool:
                return all(source["accepted"] > 0 for source in (await sources(client)).values())

            await wait_until(all_told)
            assert set(await sources(client)) == {"corsight:history", "corsight:sse", "corsight:webhook"}

            assert vendor.access.logins == 1

            named = vendor.truth(named=True)
            rows = [
                appearance | {"appearance_id": appearance["appearance_key"]} for appearance in appearances_of(named)
            ]
            answer = await client.post("/api/v1/uploads", files={"file": ("export.csv", csv_of(rows))})
            assert answer.status_code == 201, answer.text
            assert answer.json()["rows_accepted"] == len(rows)
            await has_sessions_of(pool, named)


async def test_a_source_that_is_paused_takes_nothing_and_then_fetches_what_it_missed(
    service_process: ServiceProcesses, pool: asyncpg.Pool
) -> None:
    async with CorsightSimulator(seed=6, pace=0) as vendor:
        service_process.environment = {**service_process.environment, **environment_of(vendor, "sse")}
        await service_process.start("gateway", "ingest", "processor", "sink")
        async with logged_in(service_process) as client:

            async def is_in(state: str) -> None:
                async def so() -> bool:
                    return bool((await sources(client))["corsight:sse"]["state"] == state)

                await wait_until(so, 60)

            async def known() -> int:
                return int(await pool.fetchval("SELECT count(*) FROM appearances"))

            await is_in("live")
            vendor.tell(50)
            await has_sessions_of(pool, vendor.truth())
            await client.post("/api/v1/sources/corsight:sse/pause")
            await is_in("paused")
            before = await known()
            vendor.tell(150)
            answer = await client.post("/api/v1/sources/corsight:sse/test")
            assert answer.json()["ok"], answer.text
            assert await known() == before
            await client.post("/api/v1/sources/corsight:sse/resume")
            await has_sessions_of(pool, vendor.truth())


async def test_what_the_history_cannot_give_back_is_told(service_process: ServiceProcesses) -> None:
    async with CorsightSimulator(seed=7, pace=0) as vendor:
        nowhere = {"DWELL_CORSIGHT_HISTORY_URL": f"http://127.0.0.1:{free_ports(1)[0]}"}
        service_process.environment = {**service_process.environment, **environment_of(vendor, "sse"), **nowhere}
        await service_process.start("gateway", "ingest")
        async with logged_in(service_process) as client:

            async def told(what: str) -> Any:
                async def found() -> Any:
                    return (await sources(client)).get("corsight:sse", {}).get(what)

                return await wait_until(found, 60)

            (span,) = (await told("missed"))[:1]
            assert span["since"] < span["until"]
            assert "history" in span["reason"]


async def test_a_camera_that_no_source_tells_of_any_more_raises_an_alert_until_it_sees_somebody(
    service_process: ServiceProcesses,
) -> None:
    service_process.environment = {**service_process.environment, "DWELL_INGEST_HEARTBEAT_SECONDS": "0.5"}
    await service_process.start("gateway", "ingest", "insights", "sink")
    webhook = f"{service_process.address('ingest')}/webhooks/corsight"

    async def somebody_comes() -> None:
        event = appearance_event(now=clock.now().timestamp())
        answer = await client.post(webhook, json=event, headers={WEBHOOK_HEADER: WEBHOOK_SECRET})
        assert answer.status_code == 202

    async def alert(status: str) -> Any:
        async def found() -> Any:
            items = (await client.get("/api/v1/alerts", params={"status": status})).json()["items"]
            return [each for each in items if each["kind"] == "camera_silent"]

        (only,) = await wait_until(found, 60)
        return only

    async with logged_in(service_process) as client:
        rule = {"name": "Silent", "kind": "camera_silent", "threshold": 3, "cooldown_seconds": 0}
        assert (await client.post("/api/v1/alert-rules", json=rule)).status_code == 201
        await somebody_comes()
        opened = await alert("open")
        assert (opened["camera_id"], opened["threshold"], opened["live"]) == ("c1", 3, True)
        await somebody_comes()
        assert (await alert("resolved"))["alert_id"] == opened["alert_id"]
