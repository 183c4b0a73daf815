"""What a user does, in a real browser against the whole stack: log in, upload a day, read it, be alerted."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Request, Route, expect

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

EXPECTED = re.compile(r"/api/v1/(auth/me|tus/[^/]+)\)$")
"""The browser reports that "who am I" is answered with 401 until somebody signs in, and lines that a test cuts."""


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
        assert [line for line in complaints if not EXPECTED.search(line)] == []


async def log_in(page: Page, stack: LocalSettings) -> None:
    await page.goto(stack.address)
    await page.get_by_label("Email").fill(ADMIN_EMAIL)
    await page.get_by_label("Password").fill(ADMIN_PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=PATIENCE_MS)


async def open_page(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=PATIENCE_MS)


async def choose(page: Page, file: Path) -> Locator:
    await page.get_by_label("Choose files").set_input_files(file)
    return page.get_by_role("list", name="Files of this visit").get_by_role("listitem", name=file.name)


def rows_csv(rows: int, bad: int = 0, filler: int = 0) -> str:
    """Stays of one minute each at one camera, of which the first `bad` say no time."""
    day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    lines = ["person_id,camera_id,utc_time_started_readable,utc_time_ended_readable,note"]
    for row in range(rows):
        start = day + timedelta(seconds=row % 80_000)
        times = ("noon", "noon") if row < bad else (f"{start:%F %T}", f"{start + timedelta(minutes=1):%F %T}")
        lines.append(",".join([f"e2e-{rows}-{row}", "e2e-files", *times, "x" * filler]))
    return "\n".join(lines)


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
    card = await choose(page, csv)
    await expect(card.get_by_role("heading", name="50 first rows as they will be read")).to_be_visible()
    await card.get_by_role("button", name="Start upload").click()
    await expect(card.get_by_text(f"{file.rows:,} rows in, 0 rejected")).to_be_visible(timeout=PATIENCE_MS)
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


async def test_a_large_file_goes_on_where_it_stopped_after_a_cut_connection_and_a_reload(
    stack: LocalSettings, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_text(rows_csv(120_000, filler=120))
    offsets: list[int] = []
    cut = True

    async def connection(route: Route, request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))
            if cut and offsets[-1] > 0:
                await route.abort("connectionfailed")
                return
        await route.continue_()

    await log_in(page, stack)
    await page.route("**/api/v1/tus/*", connection)
    await open_page(page, "Uploads")
    await page.get_by_label("Preview before sending").uncheck()
    card = await choose(page, file)
    await expect(card.get_by_text("Paused – no connection.")).to_be_visible(timeout=PATIENCE_MS)

    page.once("dialog", lambda dialog: dialog.accept())
    await page.reload()
    await expect(page.get_by_role("region", name="Unfinished uploads").get_by_text("large.csv")).to_be_visible()
    cut = False
    offsets.clear()
    card = await choose(page, file)
    await expect(card.get_by_text("120,000 rows in, 0 rejected")).to_be_visible(timeout=4 * PATIENCE_MS)
    assert offsets[0] > 0
    await expect(page.get_by_role("region", name="Unfinished uploads")).to_have_count(0)


async def test_a_file_with_many_bad_rows_is_decided_on_mended_and_undone(
    stack: LocalSettings, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "half-bad.csv"
    file.write_text(rows_csv(20, bad=8))
    await log_in(page, stack)
    await open_page(page, "Uploads")
    card = await choose(page, file)
    await expect(card.get_by_role("heading", name="20 first rows as they will be read, 8 rejected")).to_be_visible()
    await card.get_by_role("button", name="Start upload").click()

    await card.get_by_role("button", name="Decide").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("8 of 20 rows read so far cannot be used (40%)")
    await expect(dialog).to_contain_text("None of its rows has been imported yet.")
    await dialog.get_by_role("button", name="Import the good rows").click()
    await expect(card.get_by_text("12 rows in, 8 rejected (40%)")).to_be_visible(timeout=PATIENCE_MS)
    await expect(card.get_by_role("button", name="Undo this upload")).to_be_visible(timeout=PATIENCE_MS)

    await card.get_by_role("link", name="Review and fix").click()
    await page.get_by_role("button", name="Open a time that cannot be read").click()
    await page.get_by_text("Fix all 8 rows at once").click()
    await page.get_by_label("Field").fill("utc_time_started_readable")
    await page.get_by_label("Find").fill("noon")
    await page.get_by_label("Replace with").fill("2025-01-15 12:00:00")
    await page.get_by_role("button", name="Fix and run again").click()
    await page.get_by_role("button", name="Run 8 rows again").click()
    await expect(page.get_by_text("8 rows ran again: 0 in, 8 still refused.")).to_be_visible(timeout=PATIENCE_MS)

    await page.get_by_role("button", name="Edit line 2", exact=True).click()
    await page.get_by_label("Text of line 2", exact=True).fill(
        "e2e-20-0,e2e-files,2025-01-15 12:00:00,2025-01-15 12:01:00,"
    )
    await page.get_by_role("button", name="Run again", exact=True).click()
    await expect(page.get_by_text("1 row ran again: 1 in.")).to_be_visible(timeout=PATIENCE_MS)

    await page.get_by_role("link", name="Line 3").click()
    await expect(page.get_by_text("13 rows in, 7 rejected (35%)")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("button", name="Undo this upload").click()
    await page.get_by_role("dialog").get_by_role("button", name="Undo this upload").click()
    await expect(page.get_by_text("Undone: what only this file brought")).to_be_visible(timeout=2 * PATIENCE_MS)


async def test_a_source_is_tested_paused_and_resumed_and_the_overview_tells_of_it(
    stack: LocalSettings, page: Page
) -> None:
    async def status_of_a_call() -> int:
        async with httpx.AsyncClient(headers={WEBHOOK_HEADER: WEBHOOK_SECRET}, trust_env=False) as camera:
            address = f"http://127.0.0.1:{stack.ingest_port}/webhooks/corsight"
            return (await camera.post(address, json=long_stay(1))).status_code

    await log_in(page, stack)
    banner = page.get_by_role("region", name="Sources that are not live")
    await open_page(page, "Sources")
    source = page.get_by_role("listitem", name="corsight:webhook")
    await expect(source.get_by_text("live", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    await source.get_by_role("button", name="Test").click()
    await expect(source.get_by_text("Test passed:")).to_be_visible(timeout=PATIENCE_MS)

    await source.get_by_role("button", name="Pause").click()
    await expect(source.get_by_text("paused", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert await status_of_a_call() == 503
    await open_page(page, "Overview")
    await expect(banner).to_contain_text("corsight:webhook: paused", timeout=PATIENCE_MS)

    await banner.get_by_role("link", name="Look at the sources").click()
    await source.get_by_role("button", name="Resume").click()
    await expect(source.get_by_text("live", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert await status_of_a_call() == 202
    await open_page(page, "Overview")
    await expect(banner).to_have_count(0, timeout=PATIENCE_MS)
