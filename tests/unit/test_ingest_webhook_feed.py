"""The webhook, called by a whole Corsight through everything that befalls it: nothing is lost, nothing counts twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from deploy.local.ports import free_ports
from services.common.runner import serve
from services.ingest.settings import IngestSettings
from services.ingest.simulator import webhooks
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.sources.webhook import PATH, Webhook
from tests.support.connector import Parts, come_to_the_truth
from tests.support.waiting import wait_until

SECRET = "a secret of the camera system"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "RETRY_SECONDS", 0.05)


@pytest.fixture
def webhook(tmp_path: Path, parts: Parts) -> Webhook:
    made = Webhook(IngestSettings(home=tmp_path, corsight_webhook_secret=SECRET), parts.kafka, parts.cameras)
    parts.status = made.status
    return made


@asynccontextmanager
async def task(work: Any) -> AsyncIterator[None]:
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def called_by_corsight(webhook: Webhook, **options: Any) -> AsyncIterator[CorsightSimulator]:
    """The webhook is served, and takes nothing before it is run."""
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}{PATH}"
    options = {"seed": 7, "pace": 0, "webhook_secret": SECRET, **options}
    async with (
        task(serve(Starlette(routes=webhook.router.routes), "127.0.0.1", port)),
        CorsightSimulator(webhook=address, **options) as vendor,
    ):
        yield vendor


FORMS: dict[str, dict[str, Any]] = {
    "arrays of events": {},
    "one event at a time": {"webhook_at_once": 1},
    "a signature in place of the secret": {"webhook_signed": True},
    "with face crops": {"crops": True, "webhook_at_once": 20},
}

FAULTS: dict[str, dict[str, Any]] = {
    "events twice and out of order": {"duplicate": 0.5, "reorder": 30},
    "a clock that jumps back": {"clock_jump_seconds": -1800},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
async def test_however_it_is_called_it_comes_to_the_truth(webhook: Webhook, parts: Parts, form: dict[str, Any]) -> None:
    async with called_by_corsight(webhook, **form) as vendor, task(webhook.run()):
        vendor.tell(400)
        await come_to_the_truth(vendor, parts.kafka)
    assert parts.kafka.refused == []
    assert parts.status.state == "live"


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_the_vendor_does_it_comes_to_the_truth(
    webhook: Webhook, parts: Parts, faults: dict[str, Any]
) -> None:
    async with called_by_corsight(webhook, webhook_at_once=7) as vendor, task(webhook.run()):
        vendor.tell(200)
        vendor.faults.set(**faults)
        vendor.tell(200)
        await come_to_the_truth(vendor, parts.kafka)


async def test_what_comes_while_kafka_is_away_or_the_webhook_paused_comes_again(webhook: Webhook, parts: Parts) -> None:
    async def is_called_in_vain() -> bool:
        return parts.status.state == "retrying"

    async with called_by_corsight(webhook, webhook_at_once=50) as vendor:
        vendor.tell(100)
        async with task(webhook.run()):
            await come_to_the_truth(vendor, parts.kafka)
            parts.kafka.is_away = True
            vendor.tell(100)
            await wait_until(is_called_in_vain)
            assert "callers are asked to send the events again" in parts.status.detail
        before = parts.kafka.keys
        parts.kafka.is_away = False
        vendor.tell(100)
        assert parts.kafka.keys == before
        async with task(webhook.run()):
            await come_to_the_truth(vendor, parts.kafka)
