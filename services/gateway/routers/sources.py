"""The connector's sources: how they are, and what people may ask of them."""

import asyncio

from aiokafka.errors import KafkaError
from fastapi import APIRouter

from services.common.logging import get_logger
from services.gateway import audit
from services.gateway.dependencies import Database, Opened, Operator, Viewer
from services.gateway.models import Backfill, Source, Sources, SourceTest
from services.gateway.queries.sources import ask_backfill, ask_test, read_source, read_sources, set_paused

log = get_logger(__name__)

router = APIRouter(prefix="/sources", tags=["sources"])

_LAG_SECONDS = 3
"""How long Kafka may think about the lag; the rest of the answer does not need it."""


@router.get("")
async def list_sources(user: Viewer, opened: Opened) -> Sources:
    """Those that the connector is set up with; none where it is off."""
    return Sources(items=await read_sources(opened.db), sink_lag_records=await _sink_lag(opened))


async def _sink_lag(opened: Opened) -> int | None:
    try:
        async with asyncio.timeout(_LAG_SECONDS):
            return sum((await opened.sink_lag.measure()).values())
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("sink lag not known", error=f"{type(error).__name__}: {error}")
        return None


@router.post("/{name}/pause", status_code=202)
async def pause(name: str, user: Operator, db: Database) -> Source:
    """The source takes nothing more, within a second and until it is resumed, also over a restart."""
    if await set_paused(db, name, paused=True):
        await audit.record(db, user.email, "source_paused", name)
    return await read_source(db, name)


@router.post("/{name}/resume", status_code=202)
async def resume(name: str, user: Operator, db: Database) -> Source:
    """A source that fetches goes on where it was paused; one that is called is told again by those whom it refused."""
    if await set_paused(db, name, paused=False):
        await audit.record(db, user.email, "source_resumed", name)
    return await read_source(db, name)


@router.post("/{name}/test")
async def test(name: str, user: Operator, db: Database) -> SourceTest:
    """Try whether events could come; changes nothing, and takes up to 20 seconds."""
    found = await ask_test(db, name, user.email)
    await audit.record(db, user.email, "source_tested", name, **found.model_dump())
    return found


@router.post("/{name}/backfill", status_code=202)
async def backfill(name: str, span: Backfill, user: Operator, db: Database) -> Source:
    """Fetch the span again from what the camera system keeps. What is here already is not counted again."""
    await ask_backfill(db, name, span.since, span.until, user.email)
    await audit.record(
        db, user.email, "source_backfilled", name, since=span.since.isoformat(), until=span.until.isoformat()
    )
    return await read_source(db, name)
