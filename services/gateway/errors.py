"""What can go wrong, told to the client as RFC 9457 problem details."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.common.kafka.producer import PublishError
from services.common.logging import get_logger
from services.common.postgres import SERVER_AWAY
from services.gateway.models import Problem

log = get_logger(__name__)

RETRY_SECONDS = 5


class GatewayError(Exception):
    """Root of what the gateway refuses; a subclass names the situation and carries its status."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.headers = dict(headers or {})


class NotAuthenticatedError(GatewayError):
    status = 401
    title = "Login required"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class WrongCredentialsError(GatewayError):
    status = 401
    title = "Wrong email or password"


class TooManyAttemptsError(GatewayError):
    status = 429
    title = "Too many attempts to log in"


class ForbiddenError(GatewayError):
    status = 403
    title = "Not allowed"


class NotFoundError(GatewayError):
    status = 404
    title = "Not found"


class InvalidRequestError(GatewayError):
    status = 422
    title = "Invalid request"


class BadRequestError(GatewayError):
    status = 400
    title = "Bad request"


class ConflictError(GatewayError):
    status = 409
    title = "Not possible now"


class ProtocolVersionError(GatewayError):
    status = 412
    title = "Unknown protocol version"


class UnsupportedMediaTypeError(GatewayError):
    status = 415
    title = "Unsupported media type"


class UnsupportedFileError(GatewayError):
    status = 415
    title = "Neither CSV nor JSON"


class UnusableFileError(GatewayError):
    status = 422
    title = "The file cannot be used"


class FileTooLargeError(GatewayError):
    status = 413
    title = "The file is too large"


class LockedError(GatewayError):
    status = 423
    title = "In use"


class ChecksumError(GatewayError):
    """The status that the tus protocol made up for it."""

    status = 460
    title = "Checksum mismatch"


class StorageFullError(GatewayError):
    status = 507
    title = "The disk is full"


class UnavailableError(GatewayError):
    """A server that the answer needs is away; the same request will do later."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_SECONDS)})


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Problem,
        "description": "Problem details",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def problem(
    request: Request, status: int, title: str, detail: str | None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = Problem(
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        request_id=_request_id(request),
    )
    return JSONResponse(
        body.model_dump(), status_code=status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def _request_id(request: Request) -> str | None:
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(GatewayError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(PublishError, _kafka_away)
    for error in SERVER_AWAY:
        app.add_exception_handler(error, _server_away)
    app.add_exception_handler(asyncpg.DataError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _crashed)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GatewayError)
    return problem(request, error.status, error.title, error.detail, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
    return problem(request, 422, InvalidRequestError.title, found)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else None
    return problem(request, error.status_code, title, detail, error.headers)


async def _kafka_away(request: Request, error: Exception) -> JSONResponse:
    log.warning("kafka does not acknowledge", error=str(error))
    return await _refused(request, UnavailableError("Kafka does not acknowledge; nothing was accepted, try again."))


async def _server_away(request: Request, error: Exception) -> JSONResponse:
    log.warning("a server is away", error=f"{type(error).__name__}: {error}")
    return await _refused(request, UnavailableError("A server that the answer needs is away; try again."))


async def _unstorable(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 422, InvalidRequestError.title, str(error))


async def _gone(request: Request, error: Exception) -> Response:
    """Nobody is left to read this; the status is the one that proxies log for it."""
    return Response(status_code=499)


async def _crashed(request: Request, error: Exception) -> JSONResponse:
    # The server logs the traceback; this line tells whose it was.
    log.error("request failed", path=request.url.path, request_id=_request_id(request), error=type(error).__name__)
    return problem(request, 500, GatewayError.title, None)
