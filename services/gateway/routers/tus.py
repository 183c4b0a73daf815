"""Resumable uploads: the tus protocol 1.0.0 with creation, expiration, termination and checksum.

The answer to the last byte is that of an upload in one piece: refused with a problem, or accepted as `Upload-Id`, with
`Upload-Duplicate: true` where the same bytes came before.
"""

import base64
import binascii
import uuid
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from services.gateway import audit
from services.gateway.dependencies import Opened, Operator, Settings
from services.gateway.errors import (
    BadRequestError,
    ConflictError,
    FileTooLargeError,
    ProtocolVersionError,
    UnsupportedFileError,
    UnsupportedMediaTypeError,
    UnusableFileError,
)
from services.gateway.middleware import TUS_VERSION
from services.gateway.models import User
from services.gateway.uploads.accept import accept_file
from services.gateway.uploads.form import zone_of
from services.gateway.uploads.receive import UNLIMITED, shown_name
from services.gateway.uploads.resumable import CHECKSUMS, Checksum, Resumable

router = APIRouter(prefix="/tus", tags=["uploads"])

EXTENSIONS = ("creation", "expiration", "termination", "checksum")

_CONTENT_TYPE = "application/offset+octet-stream"

_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {_CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}

_STATE: dict[str, Any] = {
    name: {"description": told, "schema": {"type": "string"}}
    for name, told in (
        ("Upload-Offset", "how many bytes are here"),
        ("Upload-Expires", "when the upload is given up if nothing is added"),
        ("Upload-Id", "with the last byte: the upload that the file is, as under `/uploads/{upload_id}`"),
        ("Upload-Duplicate", "`true` beside `Upload-Id` where the same bytes came before: that is the first upload"),
    )
}


async def _sender(user: Operator, tus_resumable: Annotated[str, Header()] = "") -> User:
    if tus_resumable != TUS_VERSION:
        raise ProtocolVersionError(
            f"This is tus {TUS_VERSION}; name it in the header Tus-Resumable.", headers={"Tus-Version": TUS_VERSION}
        )
    return user


Sender = Annotated[User, Depends(_sender)]


@router.options("", status_code=204, response_class=Response)
async def describe(settings: Settings) -> Response:
    """Of the protocol alone, so without a login: its clients ask before they have one."""
    headers = {
        "Tus-Version": TUS_VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(settings.max_upload_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return Response(status_code=204, headers=headers)


@router.post("", status_code=201, response_class=Response, responses={201: {"headers": _STATE}})
async def create(
    request: Request,
    user: Sender,
    opened: Opened,
    upload_length: Annotated[int, Header(ge=0)],
    upload_metadata: Annotated[str, Header(description="`filename`, and `timezone` as for an upload")] = "",
) -> Response:
    """Announce a file; `Location` is where its bytes go."""
    if upload_length > opened.settings.max_upload_bytes:
        raise FileTooLargeError(f"A file may have {opened.settings.max_upload_bytes:,} bytes.")
    told = _metadata(upload_metadata)
    upload = await opened.resumable.create(
        user.user_id,
        upload_length,
        upload_metadata,
        shown_name(told.get("filename", "")),
        zone_of(told).key,
    )
    location = {"Location": f"{request.url.path}/{upload.tus_id}"}
    return Response(status_code=201, headers=location | await _state(upload, user, opened))


@router.head("/{tus_id}", response_class=Response, responses={200: {"headers": _STATE}})
async def tell(tus_id: uuid.UUID, user: Sender, opened: Opened) -> Response:
    async with opened.resumable.turn(tus_id, user.user_id, take_over=True) as upload:
        headers = await _state(upload, user, opened) | {"Upload-Length": str(upload.length)}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return Response(headers=headers)


@router.patch(
    "/{tus_id}",
    status_code=204,
    response_class=Response,
    max_body_size=UNLIMITED,
    openapi_extra=_BODY,
    responses={204: {"headers": _STATE}},
)
async def add(
    tus_id: uuid.UUID,
    request: Request,
    user: Sender,
    opened: Opened,
    upload_offset: Annotated[int, Header(ge=0)],
    content_type: Annotated[str, Header()] = "",
    upload_checksum: Annotated[str | None, Header()] = None,
) -> Response:
    if content_type != _CONTENT_TYPE:
        raise UnsupportedMediaTypeError(f"The bytes of an upload are {_CONTENT_TYPE}.")
    checksum = Checksum(upload_checksum) if upload_checksum else None
    async with opened.resumable.turn(tus_id, user.user_id, take_over=False) as upload:
        await opened.resumable.receive(upload, upload_offset, request.stream(), checksum)
        return Response(status_code=204, headers=await _state(upload, user, opened))


@router.delete("/{tus_id}", status_code=204, response_class=Response)
async def abandon(tus_id: uuid.UUID, user: Sender, opened: Opened) -> Response:
    """Forget the bytes so far; an upload that was accepted stays."""
    async with opened.resumable.turn(tus_id, user.user_id, take_over=True) as upload:
        await opened.resumable.remove(upload)
    return Response(status_code=204)


async def _state(upload: Resumable, user: User, opened: Opened) -> dict[str, str]:
    """Where the upload stands. One with all its bytes is accepted first: its sender asks no more than this."""
    offset, expires_at = await opened.resumable.state(upload)
    if offset == upload.length and upload.upload_id is None:
        upload = await _accept(upload, user, opened)
    headers = {"Upload-Offset": str(offset), "Upload-Expires": format_datetime(expires_at, usegmt=True)}
    if upload.upload_id is not None:
        headers["Upload-Id"] = upload.upload_id
    if upload.duplicate:
        headers["Upload-Duplicate"] = "true"
    return headers


async def _accept(upload: Resumable, user: User, opened: Opened) -> Resumable:
    upload, file = await opened.resumable.complete(upload)
    try:
        accepted = await accept_file(file, upload.timezone, user.email, opened)
    except (UnsupportedFileError, UnusableFileError, FileTooLargeError):
        await opened.resumable.remove(upload)
        raise
    except ConflictError as error:
        # Of a 409 clients think that asking again helps.
        await opened.resumable.remove(upload)
        raise UnusableFileError(error.detail) from None
    if not accepted.duplicate:
        await audit.record(opened.db, user.email, "upload", accepted.upload_id, file_name=file.file_name)
    return await opened.resumable.accepted(upload, accepted.upload_id, accepted.duplicate)


def _metadata(header: str) -> dict[str, str]:
    """``name <value in base64>, …``"""
    told = {}
    for pair in filter(None, header.split(",")):
        name, _, value = pair.strip().partition(" ")
        try:
            told[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadRequestError(f"The value of {name[:64]!r} in Upload-Metadata is not UTF-8 in base64.") from None
    return told
