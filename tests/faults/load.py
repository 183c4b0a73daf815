"""Sources that write while a fault happens, and that try again until they are told that what they sent is safe."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import httpx
import msgspec

from services.common.events.alerts import AlertRule
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.kafka.producer import EventProducer, PublishError
from services.common.topics import Topic
from tests.faults.walks import Report, Walks
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD

PAUSE_SECONDS = 0.1
"""After each envelope of the connector: with the files some 200 reports a second."""

RETRY_SECONDS = 0.5
ROWS = 30
ENVELOPES_PER_INSIGHT = 5

PUBLISH_TIMEOUT_MS = 5_000

FINAL = (400, 401, 403, 413, 415, 422)
"""Answers that no fault may bring about, and after which it makes no sense to try again."""

COLUMNS = {
    "person_id": "person_id",
    "camera_id": "camera_id",
    "appearance_id": "appearance_id",
    "utc_time_started_readable": "started_at",
    "utc_time_ended_readable": "ended_at",
    "utc_time_recorded": "reported_at",
    "age_group_outcome": "age_group",
    "gender_outcome": "gender",
}

RULES = [
    AlertRule(
        rule_id=kind, version=1, name=kind, kind=kind, threshold=threshold, severity="high",
        updated_at=datetime(2026, 3, 1, tzinfo=UTC), cooldown_seconds=0.0,
    )
    for kind, threshold in (("dwell_exceeded", 90.0), ("occupancy_exceeded", 3.0))
]  # fmt: skip
"""Without a cooldown: an alert of what held for a moment would keep the next one from opening."""


class Load:
    """Reports straight to Kafka, as the connector sends them, and as files to the gateway.

    `accepted` and `insights` are what was acknowledged; `refusals` are the gateway's answers to files it did not take.
    `rules` are in force since it was entered.
    """

    def __init__(self, bootstrap: str, gateway: str, name: str, pause_seconds: float = PAUSE_SECONDS) -> None:
        self.accepted: list[Report] = []
        self.insights: list[Report] = []
        self.rules: list[AlertRule] = []
        self.refusals: list[httpx.Response] = []
        self.token = ""
        self._bootstrap = bootstrap
        self._name = name
        self._pause_seconds = pause_seconds
        self._walks = Walks(name)
        self._http = httpx.AsyncClient(base_url=gateway, timeout=60, trust_env=False)

    async def __aenter__(self) -> Self:
        async with EventProducer(self._bootstrap, "faults") as producer:
            await producer.publish(Topic.ALERT_RULES, RULES, "faults")
        self.rules = RULES
        credentials = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        answer = await self._http.post("/api/v1/auth/login", json=credentials)
        assert answer.is_success, answer.text
        self.token = answer.json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All sources, until the block ends; then what they still hold back. Returns when all is acknowledged."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._connector(stop))
            group.create_task(self._people(stop))
            try:
                yield
            finally:
                stop.set()
        await self.write(self._walks.rest())

    def take(self, count: int) -> list[Report]:
        """Reports for a test to send itself."""
        return self._walks.take(count)

    async def write(self, reports: Sequence[Report]) -> None:
        """Straight to Kafka."""
        async with EventProducer(self._bootstrap, "faults", timeout_ms=PUBLISH_TIMEOUT_MS) as producer:
            await self._publish(producer, Topic.APPEARANCES, reports, Appearance)
        self.accepted += reports

    async def backlog(self, count: int) -> None:
        """Many small records at once, some two reports each."""
        async with EventProducer(self._bootstrap, "faults") as producer:
            for _ in range(count // 2):
                reports = self._walks.take(2)
                await self._publish(producer, Topic.APPEARANCES, reports, Appearance)
                self.accepted += reports

    async def upload(self, name: str, content: bytes) -> Any:
        """Send a file until it is accepted and, where it was queued, finished; returns the completed upload."""
        while True:
            try:
                answer = await self._http.post("/api/v1/uploads", files={"file": (name, content)})
            except httpx.TransportError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if answer.is_success:
                upload = await self._finished(answer.json())
                if upload["status"] == "completed":
                    return upload
            assert answer.status_code not in FINAL, answer.text
            self.refusals.append(answer)
            await asyncio.sleep(RETRY_SECONDS)

    async def _finished(self, upload: Any) -> Any:
        while upload["status"] in ("received", "processing"):
            await asyncio.sleep(RETRY_SECONDS)
            try:
                answer = await self._http.get(f"/api/v1/uploads/{upload['upload_id']}")
            except httpx.TransportError:
                continue
            if answer.is_success:
                upload = answer.json()
        return upload

    async def _connector(self, stop: asyncio.Event) -> None:
        async with EventProducer(self._bootstrap, "faults", timeout_ms=PUBLISH_TIMEOUT_MS) as producer:
            while not stop.is_set():
                for _ in range(ENVELOPES_PER_INSIGHT):
                    reports = self._walks.take(12)
                    await self._publish(producer, Topic.APPEARANCES, reports, Appearance)
                    self.accepted += reports
                    await asyncio.sleep(self._pause_seconds)
                insight = self._walks.insight()
                await self._publish(producer, Topic.INSIGHTS, [insight], InsightEvent)
                self.insights.append(insight)

    async def _people(self, stop: asyncio.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            reports = [report for report in self._walks.take(ROWS) if report["person_id"]]
            await self.upload(f"{self._name}-{number}.csv", csv_of(reports))
            self.accepted += reports
            await asyncio.sleep(self._pause_seconds)

    async def _publish(self, producer: EventProducer, topic: Topic, reports: Sequence[Report], kind: type[Any]) -> None:
        items = msgspec.convert(reports, list[kind])  # type: ignore[valid-type]
        while True:
            try:
                await producer.publish(topic, items, "faults")
            except PublishError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return


def csv_of(reports: Sequence[Report]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([[report[field] for field in COLUMNS.values()] for report in reports])
    return text.getvalue().encode()
