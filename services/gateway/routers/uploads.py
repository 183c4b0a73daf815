"""Files: in, how far they are, and what of them was refused."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from services.common.failpoints import failpoint
from services.gateway import audit
from services.gateway.csv_export import CSV_RESPONSE, csv_lines
from services.gateway.dependencies import Database, Opened, Operator, Viewer
from services.gateway.errors import NotFoundError
from services.gateway.filters import parse_zone
from services.gateway.models import Upload, UploadPage
from services.gateway.queries.quarantine import export_rejects
from services.gateway.uploads.accept import accept_file
from services.gateway.uploads.progress import read_upload, read_uploads
from services.gateway.uploads.receive import DEFAULT_ZONE, UNLIMITED, receive_file

router = APIRouter(prefix="/uploads", tags=["uploads"])

PROGRESS_SECONDS = 0.5

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV, JSON or newline-delimited JSON, each also gzipped",
                        },
                        "timezone": {
                            "type": "string",
                            "description": "IANA zone of times that name none; UTC without it",
                        },
                    },
                }
            }
        },
    }
}


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
    """Answers when the file is safe: parsed and in Kafka (201), or stored and queued (202)."""
    length = request.headers.get("content-length", "")
    file = await receive_file(
        request.stream(),
        request.headers.get("content-type", ""),
        int(length) if length.isdecimal() else None,
        opened.store,
        opened.settings.max_upload_bytes,
        _zone_of,
    )
    upload = await accept_file(file, _zone_of(file.fields), user.email, opened)
    if upload.duplicate:
        response.status_code = 200
    elif upload.status != "completed":
        response.status_code = 202
    if not upload.duplicate:
        await audit.record(opened.db, user.email, "upload", upload.upload_id, file_name=file.file_name)
    failpoint("gateway.before_response")
    return upload


def _zone_of(fields: dict[str, str]) -> str:
    return parse_zone(fields.get("timezone") or DEFAULT_ZONE).key


@router.get("")
async def list_uploads(
    user: Viewer,
    db: Database,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> UploadPage:
    """Newest first."""
    return await read_uploads(db, cursor, limit)


async def _existing(upload_id: uuid.UUID, user: Viewer, db: Database) -> Upload:
    upload = await read_upload(db, upload_id)
    if upload is None:
        raise NotFoundError("There is no upload with this id.")
    return upload


ExistingUpload = Annotated[Upload, Depends(_existing)]


@router.get("/{upload_id}")
async def get_upload(upload: ExistingUpload) -> Upload:
    return upload


@router.get("/{upload_id}/events", response_class=EventSourceResponse)
async def upload_events(upload: ExistingUpload, db: Database) -> AsyncIterator[Upload]:
    """The upload each time it has changed; ends when it is finished."""
    shown: Upload | None = None
    current: Upload | None = upload
    while current is not None:
        if current != shown:
            yield current
            shown = current
        if current.status in ("completed", "failed"):
            return
        await asyncio.sleep(PROGRESS_SECONDS)
        current = await read_upload(db, upload.upload_id)


@router.get("/{upload_id}/rejects.csv", response_class=Response, responses=CSV_RESPONSE)
async def get_rejects(upload: ExistingUpload, user: Viewer, opened: Opened) -> StreamingResponse:
    """The refused rows: `line`, `reason_code`, `reason`, `raw`."""

    async def lines() -> AsyncIterator[str]:
        yield csv_lines([("line", "reason_code", "reason", "raw")])
        async with opened.exports, aclosing(export_rejects(opened.db, upload.upload_id)) as batches:
            async for rows in batches:
                yield csv_lines(rows)

    await audit.record(opened.db, user.email, "export_rejects", upload.upload_id)
    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rejects-{upload.upload_id}.csv"'},
    )
