"""What a file would give, before anybody uploads it."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request

from services.common import clock
from services.common.corsight.preview import PREVIEW_BYTES, preview
from services.gateway.dependencies import Operator, Settings
from services.gateway.filters import parse_zone
from services.gateway.models import UploadPreview
from services.gateway.uploads.receive import DEFAULT_ZONE, UNLIMITED, receive_head

router = APIRouter(prefix="/uploads", tags=["uploads"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "timezone": {
                            "type": "string",
                            "description": "IANA zone of times that name none; UTC without it; goes before the file",
                        },
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": f"the file or its beginning; {PREVIEW_BYTES:,} bytes are looked at",
                        },
                    },
                }
            }
        },
    }
}


@router.post("/preview", max_body_size=UNLIMITED, openapi_extra=_FORM)
async def post_preview(request: Request, user: Operator, settings: Settings) -> UploadPreview:
    """Commits nothing, and answers as soon as enough of the file is here."""
    head = await receive_head(request.stream(), request.headers.get("content-type", ""), PREVIEW_BYTES)
    zone = parse_zone(head.fields.get("timezone") or DEFAULT_ZONE)
    found = await asyncio.to_thread(
        preview,
        head.data,
        truncated=head.truncated,
        file_name=head.file_name,
        zone=zone,
        now=clock.now(),
        limits=settings.read_limits,
    )
    return UploadPreview.model_validate(msgspec.to_builtins(found))
