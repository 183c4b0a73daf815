"""What there is: filter values, and where live alerts come from."""

from fastapi import APIRouter, Request

from services.gateway.dependencies import Database, Settings, Viewer
from services.gateway.middleware import live_url
from services.gateway.models import FilterOptions, Live
from services.gateway.queries.catalog import read_filter_options

router = APIRouter(tags=["catalog"])


@router.get("/filters")
async def filter_options(user: Viewer, db: Database, settings: Settings) -> FilterOptions:
    return await read_filter_options(db, settings.site_timezone)


@router.get("/live")
async def live(user: Viewer, request: Request, settings: Settings) -> Live:
    return Live(url=live_url(settings, request))
