"""What a user does, in a real browser against the whole stack: log in, upload a day, read it, be alerted."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from deploy.local.ports import free_ports
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from services.common import clock
from tests import oracle
from tests.support.browser import PATIENCE_MS, browser_page
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD, WEBHOOK_HEADER, WEBHOOK_SECRET
from tests.support.raw_files import AppearanceFile
from tests.support.sample import sample_files
from tests.support.waiting import wait_until

PORTS = (
    "gateway_port", "notifier_port", "ingest_port", "processor_port", "insights_port", "sink_port",
    "kafka_port", "postgres_port", "redis_port",
)  # fmt: skip

SHOWN = (
    "visitors", "visitors_anonymous", "visits", "sessions", "appearances", "occupancy_peak",
    "dwell_median_seconds", "dwell_p95_seconds", "dwell_avg_seconds",
)  # fmt: skip

CAMERA = "e2e-queue"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalSettings]:
    """The whole stack, running on ports and data of its own."""
    with TemporaryDirectory(prefix="dwell-e2e-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root, PostgreSQL runs under another account
        ports: dict[str, Any] = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        settings = LocalSettings(
            home=home, kafka="", postgres="", redis="", admin_email=ADMIN_EMAIL, admin_password=ADMIN_PASSWORD, **ports
        )
        stack = Stack(settings, {"DWELL_CORSIGHT_WEBHOOK_SECRET": WEBHOOK_SECRET})
        try:
            stack.up()
            yield settings
        finally:
            stack.down()


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    async with browser_page() as (page, complaints):
        yield page
        # Until somebody signs in, the answer to "who am I" is 401, and the browser reports every such answer.
        assert [line for line in complaints if not line.endswith("/api/v1/auth/me)")] == []


async def log_in(page: Page, stack: LocalSettings) -> None:
    await page.goto(stack.address)
    await page.get_by_label("Email").fill(ADMIN_EMAIL)
    await page.get_by_label("Password").fill(ADMIN_PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=PATIENCE_MS)


async def open_page(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=PATIENCE_MS)


def long_stay(minutes: float) -> dict[str, Any]:
    """What the camera sends while somebody stands in its queue, for so long up to now."""
    now = clock.now()
    return {
        "event_type": "appearance",
        "event_id": f"e2e-{now.timestamp()}",
        "msg_send_timestamp": now.timestamp(),
        "trigger": 2,
        "camera_data": {"camera_id": CAMERA, "camera_description": "Queue at till 1"},
        "frame_data": {"utc_time_recorded": now.timestamp()},
        "appearance_data": {
            "appearance_id": "e2e-waiting",
            "utc_time_started": (now - timedelta(minutes=minutes)).timestamp(),
        },
        "match_data": {"poi_id": None, "watchlists": []},
        "face_features_data": {"age_group_outcome": None, "gender_outcome": None},
    }


async def test_a_day_is_uploaded_and_the_overview_shows_what_the_oracle_says(
    stack: LocalSettings, page: Page, tmp_path: Path
) -> None:
    csv, _ = sample_files(tmp_path, clock.now().date() - timedelta(days=1))
    file = AppearanceFile(csv.read_bytes())
    sessions = oracle.sessions(oracle.appearances(oracle.reports(file.accepted)))
    numbers = oracle.summary(sessions, file.stores)

    await log_in(page, stack)
    await open_page(page, "Uploads")
    await page.get_by_label("Choose files").set_input_files(csv)
    card = page.get_by_role("listitem", name=csv.name)
    await expect(card.get_by_role("status")).to_have_text(f"{file.rows:,} rows in, 0 rejected", timeout=PATIENCE_MS)
    await card.get_by_role("link", name="View this range").click()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=PATIENCE_MS)

    async def shown() -> dict[str, float | None]:
        values = {name: page.locator(f"data[data-metric={name}]").get_attribute("data-value") for name in SHOWN}
        return {name: float(await value or "nan") for name, value in values.items()}

    async def settled() -> bool:
        """The last facts may still be on their way to the database; a user would look again, too."""
        if (await shown())["sessions"] == numbers["sessions"]:
            return True
        await page.reload()
        return False

    await wait_until(settled)
    assert await shown() == pytest.approx({name: numbers[name] for name in SHOWN})


async def test_a_live_event_that_breaks_a_rule_appears_as_an_alert(stack: LocalSettings, page: Page) -> None:
    await log_in(page, stack)
    await open_page(page, "Live alerts")
    alert = page.get_by_role("list", name="Alerts").get_by_role("listitem").filter(has_text="e2e-waiting")
    await expect(alert).to_have_count(0)

    headers = {WEBHOOK_HEADER: WEBHOOK_SECRET}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as camera:
        answer = await camera.post(f"http://127.0.0.1:{stack.ingest_port}/webhooks/corsight", json=long_stay(11))
    assert answer.is_success, answer.text

    await expect(alert).to_be_visible(timeout=PATIENCE_MS)
    await expect(alert).to_contain_text("Long stay")
    await expect(alert).to_contain_text("open")
    await alert.get_by_role("button", name="Acknowledge").click()
    await expect(alert).to_contain_text(f"Acknowledged by {ADMIN_EMAIL}")
