import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.common import clock
from services.common.health import Health
from services.common.kafka.producer import PublishError
from services.ingest.app import Ingest
from services.ingest.cameras import CameraBook
from services.ingest.intake import Taken
from services.ingest.publisher import Publisher
from services.ingest.settings import IngestSettings
from services.ingest.sources import webhook as webhook_module
from services.ingest.sources.base import SourceError
from services.ingest.sources.webhook import Webhook
from tests.support.vendor_events import STATUS_EVENT, appearance_event

SECRET = "a secret of the camera system"
PATH = "/webhooks/corsight"


class FakePublisher(Publisher):
    """Remembers what it was given, unless Kafka is away."""

    def __init__(self) -> None:
        super().__init__(timeout_seconds=1)
        self.away = False
        self.is_connected = False
        self.taken: list[Taken] = []
        self.entered = asyncio.Semaphore(0)
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def publish_taken(self, taken: Taken, source: str) -> None:
        self.entered.release()
        await self.may_finish.wait()
        if self.away:
            raise PublishError("away")
        self.taken.append(taken)

    async def check(self) -> Health:
        return Health(ok=True, detail={}) if self.is_connected else await super().check()


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def cameras() -> CameraBook:
    return CameraBook()


@pytest.fixture
def webhook(tmp_path: Path, publisher: FakePublisher, cameras: CameraBook) -> Webhook:
    settings = IngestSettings(
        home=tmp_path, corsight_webhook_secret=SECRET, ingest_max_body_bytes=10_000, ingest_requests=2
    )
    return Webhook(settings, publisher, cameras)


@pytest_asyncio.fixture
async def running(webhook: Webhook) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(webhook.run())
    await asyncio.sleep(0)
    yield task
    task.cancel()


@pytest_asyncio.fixture
async def client(webhook: Webhook, running: asyncio.Task[None]) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(webhook.router)
    transport = httpx.ASGITransport(app)
    headers = {"X-Webhook-Secret": SECRET}
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as opened:
        yield opened


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return appearance_event(number, now=clock.now().timestamp(), **fields)


class TestWho:
    @pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], "ä"])
    async def test_without_the_secret_nothing_is_taken(
        self, client: httpx.AsyncClient, publisher: FakePublisher, secret: str
    ) -> None:
        response = await client.post(PATH, json=event(), headers={b"X-Webhook-Secret": secret.encode()})
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert publisher.taken == []

    async def test_a_caller_may_sign_the_body_instead(
        self, client: httpx.AsyncClient, publisher: FakePublisher
    ) -> None:
        body = json.dumps(event()).encode()
        signature = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        headers = {"X-Webhook-Secret": "", "X-Webhook-Signature": f"sha256={signature}"}
        assert (await client.post(PATH, content=body, headers=headers)).status_code == 202
        assert (await client.post(PATH, content=body + b" ", headers=headers)).status_code == 401
        assert len(publisher.taken) == 1

    @pytest.mark.parametrize("signature", ["", "sha256=", "sha256=00", "md5=00", "ä"])
    async def test_a_wrong_signature_is_not_mended_by_the_secret(
        self, client: httpx.AsyncClient, publisher: FakePublisher, signature: str
    ) -> None:
        response = await client.post(PATH, json=event(), headers={b"X-Webhook-Signature": signature.encode()})
        assert response.status_code == 401
        assert publisher.taken == []


class TestHow:
    @pytest.mark.parametrize("method", ["GET", "PUT"])
    async def test_whoever_asks_in_another_way_than_by_post_is_told_how(self, tmp_path: Path, method: str) -> None:
        app = Ingest(IngestSettings(home=tmp_path)).app
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as asking:
            response = await asking.request(method, PATH)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 405


class TestWhat:
    async def test_what_was_taken_is_counted_after_kafka_has_it(
        self, client: httpx.AsyncClient, publisher: FakePublisher
    ) -> None:
        response = await client.post(PATH, json=[event(1), event(2, camera_id=""), STATUS_EVENT])
        assert (response.status_code, response.json()) == (202, {"accepted": 2, "rejected": 1, "unknown": 0})
        [taken] = publisher.taken
        assert [fact.appearance_key for fact in taken.appearances] == ["track-1"]
        assert [refused.reason_code for refused in taken.refused] == ["missing_camera"]

    async def test_what_nobody_knows_is_neither_accepted_nor_rejected(self, client: httpx.AsyncClient) -> None:
        response = await client.post(PATH, json=[event(), {"event_type": "door_opened"}])
        assert response.json() == {"accepted": 1, "rejected": 0, "unknown": 1}

    async def test_a_body_that_is_no_json_is_refused_and_kept(
        self, client: httpx.AsyncClient, publisher: FakePublisher
    ) -> None:
        response = await client.post(PATH, content=b'[{"event_type"')
        assert response.status_code == 400
        [taken] = publisher.taken
        assert [refused.raw for refused in taken.refused] == [b'[{"event_type"']

    async def test_a_body_that_is_too_long_is_not_read(
        self, client: httpx.AsyncClient, publisher: FakePublisher
    ) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 1000

        assert (await client.post(PATH, content=endless())).status_code == 413
        assert publisher.taken == []

    @pytest.mark.parametrize("body", [b"[]", b"no JSON"])
    async def test_while_kafka_is_away_the_caller_is_asked_to_come_back(
        self, client: httpx.AsyncClient, publisher: FakePublisher, body: bytes
    ) -> None:
        publisher.away = True
        response = await client.post(PATH, content=body)
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0

    async def test_more_requests_than_can_be_worked_at_are_asked_to_come_back(
        self, client: httpx.AsyncClient, publisher: FakePublisher
    ) -> None:
        publisher.may_finish.clear()
        working = [asyncio.ensure_future(client.post(PATH, json=event(number))) for number in range(2)]
        await publisher.entered.acquire()
        assert (await client.post(PATH, json=event(9))).status_code == 503
        publisher.may_finish.set()
        assert [(await task).status_code for task in working] == [202, 202]

    async def test_more_bytes_than_are_held_at_once_are_asked_to_come_back(
        self, client: httpx.AsyncClient, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(webhook_module, "MAX_BYTES_AT_WORK", 6_000)
        publisher.may_finish.clear()
        large = event() | {"free_text": "x" * 4_000}
        first = asyncio.ensure_future(client.post(PATH, json=large))
        await publisher.entered.acquire()
        assert (await client.post(PATH, json=large)).status_code == 503
        publisher.may_finish.set()
        assert (await first).status_code == 202
        assert (await client.post(PATH, json=large)).status_code == 202


class TestState:
    async def test_one_that_nobody_runs_asks_its_callers_to_come_back(
        self, client: httpx.AsyncClient, running: asyncio.Task[None], publisher: FakePublisher
    ) -> None:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        response = await client.post(PATH, json=event())
        assert (response.status_code, int(response.headers["Retry-After"]) > 0) == (503, True)
        assert publisher.taken == []

    async def test_it_is_live_from_the_start_and_again_once_kafka_takes_what_comes(
        self, client: httpx.AsyncClient, webhook: Webhook, publisher: FakePublisher
    ) -> None:
        status = webhook.status
        states: list[str] = [status.state]
        publisher.away = True
        await client.post(PATH, json=event())
        states.append(status.state)
        assert (status.accepted, len(status.errors), status.heard_at) == (0, 1, None)
        publisher.away = False
        await client.post(PATH, json=[event(), {"event_type": "door_opened"}, 5])
        assert [*states, status.state] == ["live", "retrying", "live"]
        assert (status.accepted, status.rejected, status.unknown) == (1, 1, 1)

    async def test_a_trial_tells_whether_events_would_be_taken(
        self, client: httpx.AsyncClient, webhook: Webhook, publisher: FakePublisher
    ) -> None:
        with pytest.raises(SourceError, match="Kafka"):
            await webhook.test()
        publisher.is_connected = True
        assert "not called yet" in await webhook.test()
        await client.post(PATH, json=event())
        assert "called last" in await webhook.test()


class TestCameras:
    async def test_a_delivery_is_a_sign_of_life_and_tells_of_cameras(
        self, client: httpx.AsyncClient, cameras: CameraBook
    ) -> None:
        before = clock.now()
        await client.post(PATH, json=event())
        [camera] = cameras.all()
        assert camera.description == "Main entrance"
        assert camera.heartbeat_at >= before
        await client.post(PATH, json=STATUS_EVENT)
        assert cameras.all()[0].heartbeat_at > camera.heartbeat_at

    async def test_what_kafka_did_not_take_is_no_sign_of_life(
        self, client: httpx.AsyncClient, publisher: FakePublisher, cameras: CameraBook
    ) -> None:
        cameras.spoke(Webhook.name, clock.now() - timedelta(hours=1))
        publisher.away = True
        await client.post(PATH, json=event())
        assert cameras.all() == []
