"""What was refused, from any source."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.gateway.dependencies import Analyst, Database
from services.gateway.models import QuarantinePage
from services.gateway.queries.quarantine import read_quarantine

router = APIRouter(tags=["quarantine"])


@router.get("/quarantine")
async def list_quarantine(
    user: Analyst,
    db: Database,
    reason_code: Annotated[list[str], Query()] = [],  # noqa: B006
    source: Annotated[str | None, Query(description="prefix, such as `upload:` or `kafka:`")] = None,
    camera_id: Annotated[list[str], Query()] = [],  # noqa: B006
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QuarantinePage:
    """Newest first."""
    return await read_quarantine(db, reason_code, source, camera_id, cursor, limit)
