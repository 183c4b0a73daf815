"""What there is: filter values, live sources, and where live alerts come from."""

import asyncio

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request

from services.common import clock
from services.common.logging import get_logger
from services.gateway.dependencies import Database, Opened, Settings, Viewer
from services.gateway.middleware import live_url
from services.gateway.models import FilterOptions, Live, Sources
from services.gateway.queries.catalog import read_filter_options, read_sources

log = get_logger(__name__)

router = APIRouter(tags=["catalog"])

_LAG_SECONDS = 3
"""How long Kafka may think about the lag; the rest of the answer does not need it."""


@router.get("/filters")
async def filter_options(user: Viewer, db: Database, settings: Settings) -> FilterOptions:
    return await read_filter_options(db, settings.site_timezone)


@router.get("/sources")
async def sources(user: Viewer, opened: Opened) -> Sources:
    return Sources(sources=await read_sources(opened.db, clock.now()), sink_lag_records=await _sink_lag(opened))


async def _sink_lag(opened: Opened) -> int | None:
    try:
        async with asyncio.timeout(_LAG_SECONDS):
            return sum((await opened.sink_lag.measure()).values())
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("sink lag not known", error=f"{type(error).__name__}: {error}")
        return None


@router.get("/live")
async def live(user: Viewer, request: Request, settings: Settings) -> Live:
    return Live(url=live_url(settings, request))
