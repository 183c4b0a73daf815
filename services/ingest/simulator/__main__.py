"""``python -m services.ingest.simulator``: people walk through the demonstration shop; Corsight tells of it live."""

import argparse
import asyncio
import heapq
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx

from services.common import clock
from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.ingest.settings import IngestSettings
from services.ingest.simulator.feed import Event, Feed
from services.ingest.simulator.shop import Shop
from services.ingest.sources.webhook import SECRET_HEADER

log = get_logger(__name__)

OPEN_FOR = timedelta(minutes=15)
"""How long the shop has been open when the feed starts: the first screen shows people at once."""

MAX_EVENTS = 200
TICK_SECONDS = 1.0
RETRY_SECONDS = 2.0


def simulated(seed: int, people_per_minute: float, now: datetime) -> Iterator[tuple[datetime, Event]]:
    """Everything that is sent, in order and without end."""
    feed = Feed(seed, now)
    shop = Shop(seed, now, people_per_minute, OPEN_FOR)
    return heapq.merge(feed.events(shop.happenings()), feed.statuses(), key=lambda sent: sent[0])


class Sender:
    """Posts what is due; while the webhook is away it waits, and then catches up."""

    def __init__(self, client: httpx.AsyncClient, url: str, events: Iterator[tuple[datetime, Event]]) -> None:
        self._client = client
        self._url = url
        self._events = events
        self._next = next(events)

    async def run(self) -> None:
        while True:
            while due := self._due(clock.now()):
                await self._post(due)
            await asyncio.sleep(TICK_SECONDS)

    def _due(self, now: datetime) -> list[Event]:
        due: list[Event] = []
        while self._next[0] <= now and len(due) < MAX_EVENTS:
            due.append(self._next[1])
            self._next = next(self._events)
        return due

    async def _post(self, events: list[Event]) -> None:
        body = json.dumps(events)
        while True:
            try:
                response = await self._client.post(self._url, content=body)
                if response.status_code == httpx.codes.ACCEPTED:
                    if rejected := response.json()["rejected"]:
                        log.warning("events rejected", count=rejected)
                    return
                reason = f"{response.status_code} {response.text[:200]}"
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            log.warning("the webhook does not take the events, will try again", url=self._url, reason=reason)
            await asyncio.sleep(RETRY_SECONDS)


def main() -> None:
    settings = IngestSettings()
    local = f"http://127.0.0.1:{settings.ingest_port}/webhooks/corsight"
    parser = argparse.ArgumentParser(prog="python -m services.ingest.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2.0, help="people per minute")
    parser.add_argument("--url", default=local, help="where the webhook is")
    parser.add_argument("--check", action="store_true", help="build the feed, then exit")
    arguments = parser.parse_args()
    if arguments.rate <= 0:
        parser.error("--rate must be greater than 0")
    configure_logging("simulator", settings.log_level)
    events = simulated(arguments.seed, arguments.rate, clock.now())
    if arguments.check:
        next(events)
        return

    async def send() -> None:
        headers = {SECRET_HEADER: settings.webhook_secret, "Content-Type": "application/json"}
        async with httpx.AsyncClient(headers=headers, timeout=30, trust_env=False) as client:
            await Sender(client, arguments.url, events).run()

    log.info("the shop is open", url=arguments.url, people_per_minute=arguments.rate, seed=arguments.seed)
    run("simulator", send)


if __name__ == "__main__":
    main()
