"""Numbers for cards and charts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.common import clock
from services.gateway.dependencies import Database, Settings, Viewer
from services.gateway.filters import CommonFilters
from services.gateway.models import Demographics, DwellHistogram, OccupancyTimeline, Summary
from services.gateway.queries.dwell import read_demographics, read_dwell_histogram
from services.gateway.queries.occupancy import read_occupancy_timeline
from services.gateway.queries.summary import read_summary

router = APIRouter(prefix="/analytics", tags=["analytics"])


@router.get("/summary")
async def summary(
    user: Viewer,
    db: Database,
    settings: Settings,
    filters: CommonFilters,
    compare: Literal["previous"] | None = None,
) -> Summary:
    return await read_summary(db, filters, settings, clock.now(), compare=compare is not None)


@router.get("/occupancy/timeline")
async def occupancy_timeline(
    user: Viewer,
    db: Database,
    filters: CommonFilters,
    bucket: Annotated[int | None, Query(description="seconds; the finest that gives at most 2,000 points")] = None,
) -> OccupancyTimeline:
    """Over several cameras the sessions of all count together."""
    return await read_occupancy_timeline(db, filters, bucket, clock.now())


@router.get("/dwell/histogram")
async def dwell_histogram(user: Viewer, db: Database, filters: CommonFilters) -> DwellHistogram:
    return await read_dwell_histogram(db, filters)


@router.get("/demographics")
async def demographics(user: Viewer, db: Database, filters: CommonFilters) -> Demographics:
    return await read_demographics(db, filters)
