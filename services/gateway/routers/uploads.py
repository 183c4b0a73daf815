"""Files: in, how far they are, and what of them was refused."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from services.common.failpoints import failpoint
from services.gateway import audit
from services.gateway.csv_export import CSV_RESPONSE, csv_download
from services.gateway.dependencies import Database, Opened, Operator, Viewer
from services.gateway.errors import NotFoundError
from services.gateway.models import Upload, UploadDecision, UploadPage, UploadStatus
from services.gateway.uploads import acts
from services.gateway.uploads.accept import accept_file
from services.gateway.uploads.form import described_form, zone_of
from services.gateway.uploads.progress import read_upload, read_uploads
from services.gateway.uploads.receive import UNLIMITED, receive_file
from services.gateway.uploads.rejects import columns_of, reject_lines

router = APIRouter(prefix="/uploads", tags=["uploads"])

_FORM = described_form(
    file="CSV, JSON or newline-delimited JSON, each also gzipped",
    zone="IANA zone of times that name none; UTC without it",
)


@router.post(
    "",
    status_code=201,
    max_body_size=UNLIMITED,
    openapi_extra=_FORM,
    responses={
        200: {"model": Upload, "description": "The same bytes are here already: the first upload"},
        202: {"model": Upload, "description": "Stored and queued; follow its progress"},
    },
)
async def post_upload(request: Request, response: Response, user: Operator, opened: Opened) -> Upload:
    """Answers when the file is safe: parsed and in Kafka or held for a decision (201), or stored and queued (202)."""
    length = request.headers.get("content-length", "")
    file = await receive_file(
        request.stream(),
        request.headers.get("content-type", ""),
        int(length) if length.isdecimal() else None,
        opened.store,
        opened.settings.max_upload_bytes,
        zone_of,
    )
    upload = await accept_file(file, zone_of(file.fields).key, user.email, opened)
    if upload.duplicate:
        response.status_code = 200
    elif upload.status in ("received", "processing"):
        response.status_code = 202
    if not upload.duplicate:
        await audit.record(opened.db, user.email, "upload", upload.upload_id, file_name=file.file_name)
    failpoint("gateway.before_response")
    return upload


@router.get("")
async def list_uploads(
    user: Viewer,
    db: Database,
    status: Annotated[list[UploadStatus], Query(description="any of these; all without it")] = [],  # noqa: B006
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> UploadPage:
    """Newest first."""
    return await read_uploads(db, status, cursor, limit)


async def _existing(upload_id: uuid.UUID, user: Viewer, db: Database) -> Upload:
    upload = await read_upload(db, upload_id)
    if upload is None:
        raise NotFoundError("There is no upload with this id.")
    return upload


ExistingUpload = Annotated[Upload, Depends(_existing)]


@router.get("/{upload_id}")
async def get_upload(upload: ExistingUpload) -> Upload:
    return upload


@router.post("/{upload_id}/decision")
async def decide_upload(decision: UploadDecision, user: Operator, upload: ExistingUpload, opened: Opened) -> Upload:
    """Of an upload that needs a decision: import its good rows, or drop all of it."""
    decided = await acts.decide(upload, decision.choice, opened)
    await audit.record(opened.db, user.email, "decide_upload", upload.upload_id, choice=decision.choice)
    return decided


@router.post("/{upload_id}/cancel")
async def cancel_upload(user: Operator, upload: ExistingUpload, opened: Opened) -> Upload:
    """Import no more of it; what is imported already stays until the upload is deleted."""
    cancelled = await acts.cancel(upload, opened)
    await audit.record(opened.db, user.email, "cancel_upload", upload.upload_id)
    return cancelled


@router.post("/{upload_id}/retry")
async def retry_upload(user: Operator, upload: ExistingUpload, opened: Opened) -> Upload:
    """Go on with a failed or cancelled upload where it stopped."""
    retried = await acts.retry(upload, opened)
    await audit.record(opened.db, user.email, "retry_upload", upload.upload_id)
    return retried


@router.delete("/{upload_id}", status_code=202)
async def delete_upload(user: Operator, upload: ExistingUpload, opened: Opened) -> Upload:
    """Withdraw what only this upload brought; its status is `withdrawn` once the charts show it no more."""
    withdrawn = await acts.withdraw(upload, opened)
    await audit.record(opened.db, user.email, "withdraw_upload", upload.upload_id)
    return withdrawn


@router.get("/{upload_id}/events", response_class=EventSourceResponse)
async def upload_events(upload: ExistingUpload, opened: Opened) -> AsyncIterator[Upload]:
    """The upload at once and each time it has changed; ends when it is done, failed, cancelled or withdrawn."""
    with opened.listener.following(upload.upload_id) as changed:
        shown: Upload | None = None
        while (current := await read_upload(opened.db, upload.upload_id)) is not None:
            if current != shown:
                yield current
                shown = current
            if current.phase == "done" or current.status in ("failed", "cancelled", "withdrawn"):
                return
            await opened.listener.next_look(changed)


@router.get("/{upload_id}/rejects.csv", response_class=Response, responses=CSV_RESPONSE)
async def get_rejects(user: Operator, upload: ExistingUpload, opened: Opened) -> StreamingResponse:
    """The rows that are still refused: the file's own columns, `line`, `reason_code`, `reason`, `suggestion`.

    What has no such columns, as JSON has none, stands in a column `raw`.
    """
    columns = await asyncio.to_thread(columns_of, opened.store, upload.sha256)

    async def lines() -> AsyncIterator[str]:
        async with opened.exports, aclosing(reject_lines(opened.db, upload, columns)) as batches:
            async for batch in batches:
                yield batch

    await audit.record(opened.db, user.email, "export_rejects", upload.upload_id)
    return csv_download(lines(), f"rejects-{upload.upload_id}.csv")
