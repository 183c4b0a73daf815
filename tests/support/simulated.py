"""The connector in front of a simulated Corsight."""

from typing import Any

import asyncpg

from services.ingest.simulator.server import CorsightSimulator
from tests import oracle
from tests.support import stored


def environment_of(vendor: CorsightSimulator, *sources: str) -> dict[str, str]:
    """What the connector is told of the system. It looks at the history every second, in small pages."""
    return {
        "DWELL_CORSIGHT_SOURCES": ",".join(sources),
        "DWELL_CORSIGHT_URL": vendor.url,
        "DWELL_CORSIGHT_USERNAME": vendor.username,
        "DWELL_CORSIGHT_PASSWORD": vendor.password,
        "DWELL_CORSIGHT_HISTORY_INTERVAL_SECONDS": "1",
        "DWELL_CORSIGHT_HISTORY_PAGE": "50",
        "DWELL_CORSIGHT_RETRY_SECONDS": "2",
    }


def appearances_of(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return list(truth["appearances"])


def sessions_of(truth: dict[str, Any]) -> stored.Rows:
    """The sessions that all of the system's appearances come to."""
    return stored.expected(oracle.sessions(oracle.appearances(oracle.reports(appearances_of(truth)))), stored.SESSION)


async def has_sessions_of(database: asyncpg.Pool, truth: dict[str, Any], timeout: float = 90.0) -> None:  # noqa: ASYNC109
    """Wait until PostgreSQL holds those sessions, and nothing else of these cameras."""
    cameras = {appearance["camera_id"] for appearance in appearances_of(truth)}
    await stored.becomes(lambda: stored.sessions(database, cameras), sessions_of(truth), timeout)
