"""What a file would give, before anybody uploads it."""

import asyncio

import msgspec
from fastapi import APIRouter, Request

from services.common import clock
from services.common.corsight.preview import PREVIEW_BYTES, preview
from services.gateway.dependencies import Operator, Settings
from services.gateway.models import UploadPreview
from services.gateway.uploads.form import described_form, zone_of
from services.gateway.uploads.receive import UNLIMITED, receive_head

router = APIRouter(prefix="/uploads", tags=["uploads"])

_FORM = described_form(
    file=f"the file or its beginning; {PREVIEW_BYTES:,} bytes are looked at",
    zone="IANA zone of times that name none; UTC without it; goes before the file",
)


@router.post("/preview", max_body_size=UNLIMITED, openapi_extra=_FORM)
async def post_preview(request: Request, user: Operator, settings: Settings) -> UploadPreview:
    """Commits nothing, and answers as soon as enough of the file is here."""
    head = await receive_head(request.stream(), request.headers.get("content-type", ""), PREVIEW_BYTES)
    found = await asyncio.to_thread(
        preview,
        head.data,
        truncated=head.truncated,
        file_name=head.file_name,
        zone=zone_of(head.fields),
        now=clock.now(),
        limits=settings.read_limits,
    )
    return UploadPreview.model_validate(msgspec.to_builtins(found))
