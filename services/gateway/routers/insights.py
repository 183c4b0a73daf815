"""Insight events beside the occupancy around them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.gateway.dependencies import Database, Viewer
from services.gateway.filters import CommonFilters
from services.gateway.models import Correlation, InsightHours, MergedInsightDetail, MergedInsightPage
from services.gateway.queries import insights

router = APIRouter(prefix="/insights", tags=["insights"])


@router.get("")
async def list_insights(
    user: Viewer,
    db: Database,
    filters: CommonFilters,
    kind: Annotated[list[str], Query()] = [],  # noqa: B006
    match: Literal["matched", "no_occupancy"] | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> MergedInsightPage:
    """Newest first."""
    return await insights.read_insights(db, filters, kind, match, cursor, limit)


@router.get("/correlation")
async def correlation(user: Viewer, db: Database, filters: CommonFilters) -> Correlation:
    return await insights.read_correlation(db, filters)


@router.get("/hourly")
async def hourly(user: Viewer, db: Database, filters: CommonFilters) -> InsightHours:
    """Every hour of the range, in the requested zone."""
    return await insights.read_insight_hours(db, filters)


@router.get("/{insight_id}")
async def get_insight(insight_id: str, user: Viewer, db: Database) -> MergedInsightDetail:
    return await insights.read_insight(db, insight_id)
