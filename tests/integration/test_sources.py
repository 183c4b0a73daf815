"""The connector's runtime and the gateway, with PostgreSQL between them."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.common.postgres import create_pool
from services.gateway.auth import hash_password
from services.ingest.intake import Taken
from services.ingest.runtime import Runtime
from tests.support.databases import fresh_database
from tests.support.environment import environment
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty
from tests.support.servers import Servers
from tests.support.sources import FakeSource, RefillableSource
from tests.support.vendor_events import NOON
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATER = NOON + timedelta(minutes=5)
SPAN = {"since": NOON.isoformat(), "until": LATER.isoformat()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    await make_topics_empty(servers.kafka)
    async with fresh_database(servers.postgres) as database:
        env = environment(servers, database, tmp_path_factory.mktemp("sources"))
        async with running_gateway(gateway_settings(env)) as gateway:
            yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def gateway(running: Gateway) -> Gateway:
    await running.database.execute("TRUNCATE sources, source_commands, audit")
    return running


@asynccontextmanager
async def connector(gateway: Gateway, *sources: FakeSource) -> AsyncIterator[None]:
    ready = asyncio.Event()
    ready.set()
    task = asyncio.create_task(
        Runtime(sources, lambda: create_pool(gateway.settings.postgres_dsn, "ingest", 2), ready).run()
    )
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(gateway: Gateway, name: str, **wanted: Any) -> Any:
    """The source as the gateway shows it, once it is as wanted."""

    async def is_so() -> Any:
        for source in (await gateway.get("sources"))["items"]:
            if source["name"] == name and wanted.items() <= source.items():
                return source
        return None

    return await wait_until(is_so)


async def post(gateway: Gateway, path: str, **body: Any) -> Any:
    answer = await gateway.http.post(f"/api/v1/sources/{path}", json=body or None)
    return answer.status_code, answer.json()


async def test_without_a_connector_there_are_none(gateway: Gateway) -> None:
    assert (await gateway.get("sources"))["items"] == []


async def test_a_source_is_shown_as_it_says_it_is(gateway: Gateway) -> None:
    source = RefillableSource("sse")
    async with connector(gateway, source):
        await told(gateway, "corsight:sse", state="live")
        source.status.warn("TLS is not verified")
        source.status.missed(NOON, LATER, "history was away")
        source.status.delivered(Taken(signs_of_life=3), NOON)
        source.status.reached(NOON)
        source.status.retrying("Corsight does not answer", LATER)
        shown = await told(gateway, "corsight:sse", state="retrying", accepted=3)
    assert (shown["kind"], shown["detail"], shown["paused"], shown["stale"]) == (
        "sse",
        "Corsight does not answer",
        False,
        False,
    )
    assert shown["next_retry_at"] == "2026-03-10T12:05:00Z"
    assert shown["cursor_at"] == "2026-03-10T12:00:00Z"
    assert [error["text"] for error in shown["errors"]] == ["Corsight does not answer"]
    assert shown["missed"] == [
        {"since": "2026-03-10T12:00:00Z", "until": "2026-03-10T12:05:00Z", "reason": "history was away"}
    ]
    assert shown["warnings"] == ["TLS is not verified"]


async def test_counts_and_missed_spans_go_on_over_a_restart(gateway: Gateway) -> None:
    first, second = RefillableSource("sse"), RefillableSource("sse")
    async with connector(gateway, first):
        first.status.delivered(Taken(signs_of_life=3), NOON)
        first.status.missed(NOON, LATER, "history was away")
        await told(gateway, "corsight:sse", accepted=3)
    second.status.delivered(Taken(signs_of_life=4), NOON)
    async with connector(gateway, second):
        shown = await told(gateway, "corsight:sse", accepted=7)
    assert len(shown["missed"]) == 1


async def test_a_source_that_is_set_up_no_more_is_not_listed(gateway: Gateway) -> None:
    async with connector(gateway, FakeSource("sse"), FakeSource("webhook")):
        await told(gateway, "corsight:sse")
    async with connector(gateway, FakeSource("webhook")):

        async def is_gone() -> bool:
            names = [source["name"] for source in (await gateway.get("sources"))["items"]]
            return names == ["corsight:webhook"]

        await wait_until(is_gone)
        assert (await post(gateway, "corsight:sse/pause"))[0] == 404


async def test_a_source_of_a_connector_that_is_gone_is_stale(gateway: Gateway) -> None:
    async with connector(gateway, FakeSource("sse")):
        await told(gateway, "corsight:sse", state="live", stale=False)
    await gateway.database.execute("UPDATE sources SET updated_at = updated_at - interval '16 seconds'")
    await told(gateway, "corsight:sse", stale=True)
    status, problem = await post(gateway, "corsight:sse/test")
    assert (status, problem["detail"]) == (503, "The connector has not spoken for a while.")


async def test_pause_and_resume_reach_the_source_and_the_audit_trail(gateway: Gateway) -> None:
    source = FakeSource("sse")
    async with connector(gateway, source):
        await told(gateway, "corsight:sse", state="live")
        status, shown = await post(gateway, "corsight:sse/pause")
        assert (status, shown["paused"]) == (202, True)
        await told(gateway, "corsight:sse", state="paused")
        assert not source.running
        assert (await post(gateway, "corsight:sse/pause"))[0] == 202
        status, shown = await post(gateway, "corsight:sse/resume")
        assert (status, shown["paused"]) == (202, False)
        await told(gateway, "corsight:sse", state="live")
    assert [row["action"] for row in await gateway.database.fetch("SELECT action FROM audit ORDER BY audit_id")] == [
        "source_paused",
        "source_resumed",
    ]


async def test_a_test_answers_with_what_was_found(gateway: Gateway) -> None:
    async with connector(gateway, FakeSource("sse")):
        await told(gateway, "corsight:sse", state="live")
        assert await post(gateway, "corsight:sse/test") == (200, {"ok": True, "detail": "All is well."})


async def test_a_span_is_fetched_again_also_if_the_connector_is_away_when_it_is_asked_for(gateway: Gateway) -> None:
    async with connector(gateway, RefillableSource("history")):
        await told(gateway, "corsight:history", state="live")
    assert (await post(gateway, "corsight:history/backfill", **SPAN))[0] == 202
    source = RefillableSource("history")
    async with connector(gateway, source):

        async def is_answered() -> Any:
            return await gateway.database.fetchval("SELECT answer FROM source_commands WHERE succeeded")

        assert await wait_until(is_answered) == "7 events fetched"
        shown = await told(gateway, "corsight:history", state="live")
    assert source.spans == [(NOON, LATER)]
    assert shown["last_backfill"].pop("finished_at")
    assert shown["last_backfill"] == {
        "since": "2026-03-10T12:00:00Z",
        "until": "2026-03-10T12:05:00Z",
        "rows": 7,
        "accepted": 7,
        "rejected": 0,
        "error": None,
    }


async def test_of_back_fills_the_last_that_ended_is_shown_and_why_it_failed(gateway: Gateway) -> None:
    source = RefillableSource("history")
    async with connector(gateway, source, RefillableSource("sse")):
        assert (await told(gateway, "corsight:history", state="live"))["last_backfill"] is None
        await post(gateway, "corsight:history/backfill", **SPAN)

        async def ended(wanted: str | None) -> Any:
            last = (await told(gateway, "corsight:history"))["last_backfill"]
            return last if last and last["error"] == wanted else None

        await wait_until(lambda: ended(None))
        source.found = -1
        await post(gateway, "corsight:history/backfill", **SPAN)
        last = await wait_until(lambda: ended("Corsight does not answer"))
        assert (last["rows"], last["accepted"], last["rejected"]) == (None, None, None)
        assert (await told(gateway, "corsight:sse"))["last_backfill"] is None


@pytest.mark.parametrize(
    ("kind", "span", "status"),
    [("webhook", SPAN, 409), ("history", {**SPAN, "until": SPAN["since"]}, 422), ("kafka", SPAN, 404)],
)
async def test_what_cannot_be_fetched_is_refused(
    gateway: Gateway, kind: str, span: dict[str, str], status: int
) -> None:
    async with connector(gateway, FakeSource("webhook"), RefillableSource("history")):
        assert (await told(gateway, "corsight:webhook", state="live"))["refillable"] is False
        assert (await told(gateway, "corsight:history", state="live"))["refillable"] is True
        assert (await post(gateway, f"corsight:{kind}/backfill", **span))[0] == status


@asynccontextmanager
async def a_viewer(gateway: Gateway) -> AsyncIterator[None]:
    await gateway.database.execute(
        "INSERT INTO users (user_id, email, password_hash, role) VALUES ($1, 'v@example.com', $2, 'viewer')",
        uuid.uuid4(),
        await hash_password("a password"),
    )
    await gateway.login("v@example.com", "a password")
    try:
        yield
    finally:
        await gateway.login()


async def test_a_viewer_reads_and_does_nothing(gateway: Gateway) -> None:
    async with connector(gateway, FakeSource("sse")):
        await told(gateway, "corsight:sse", state="live")
        async with a_viewer(gateway):
            assert len((await gateway.get("sources"))["items"]) == 1
            for act in ("pause", "resume", "test", "backfill"):
                assert (await post(gateway, f"corsight:sse/{act}", **SPAN))[0] == 403
