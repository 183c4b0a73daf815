"""A real headless Chromium, the system's own."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import ConsoleMessage, Error, Page, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SWITCHES = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE_MS = 30_000


def chromium() -> str:
    for program in PROGRAMS:
        if found := shutil.which(program):
            return found
    raise FileNotFoundError(f"no Chromium on this machine (looked for {', '.join(PROGRAMS)}): run `make test`")


@asynccontextmanager
async def browser_page() -> AsyncIterator[tuple[Page, list[str]]]:
    """A page, and the list that fills with whatever the browser complains about."""
    complaints: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def uncaught(error: Error) -> None:
        complaints.append(f"uncaught: {error}")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        page = await browser.new_page(timezone_id="UTC", locale="en-GB", viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", console)
        page.on("pageerror", uncaught)
        try:
            yield page, complaints
        finally:
            await browser.close()
