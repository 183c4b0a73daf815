"""What was refused, from any source, and a second chance for it."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.gateway import audit
from services.gateway.dependencies import Database, Opened, Operator
from services.gateway.models import (
    DismissResult,
    DismissRows,
    OpenRows,
    QuarantineGroups,
    QuarantinePage,
    ReplayGroup,
    ReplayResult,
    ReplayRows,
)
from services.gateway.queries.quarantine import dismiss, open_rows, read_groups, read_quarantine
from services.gateway.uploads.replay import replay_group, replay_rows

router = APIRouter(prefix="/quarantine", tags=["quarantine"])

Source = Annotated[str | None, Query(description="prefix, such as `upload:` or `kafka:`")]


@router.get("")
async def list_quarantine(
    user: Operator,
    db: Database,
    reason_code: Annotated[list[str], Query()] = [],  # noqa: B006
    source: Source = None,
    camera_id: Annotated[list[str], Query()] = [],  # noqa: B006
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QuarantinePage:
    """The rows that nobody has fixed or dismissed, newest first."""
    return await read_quarantine(db, reason_code, source, camera_id, cursor, limit)


@router.get("/groups")
async def list_groups(user: Operator, db: Database, source: Source = None) -> QuarantineGroups:
    """The same rows by reason, with what to do about each and one of them."""
    return await read_groups(db, source)


@router.post("/replay")
async def replay(request: ReplayRows | ReplayGroup, user: Operator, opened: Opened) -> ReplayResult:
    """Read refused rows again, each as it was edited or all of a group with one correction.

    A row that is accepted is in Kafka when the answer comes, with the source it had, counts as accepted by its upload
    and leaves the quarantine; to replay it again changes nothing. The others stay as they are. Of a large group one
    call takes a few thousand rows: go on with `next_cursor` until there is none.
    """
    async with opened.inline_uploads:
        if isinstance(request, ReplayRows):
            return await replay_rows(request, user.email, opened)
        return await replay_group(request, user.email, opened)


@router.post("/dismiss")
async def dismiss_rows(request: DismissRows | OpenRows, user: Operator, db: Database) -> DismissResult:
    """Take rows out of the quarantine as they are; for their upload they stay rejected."""
    if isinstance(request, DismissRows):
        where = open_rows().add("q.quarantine_id = ANY({})", request.quarantine_ids)
    else:
        where = open_rows([request.reason_code], request.source)
    dismissed = await dismiss(db, where, user.email)
    if dismissed:
        await audit.record(db, user.email, "dismiss", rows=dismissed, **request.model_dump())
    return DismissResult(dismissed=dismissed)
