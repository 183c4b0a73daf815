"""``POST /webhooks/corsight``: the vendor posts one event or an array of them."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.common import clock
from services.common.kafka.headers import continue_trace
from services.common.kafka.producer import PublishError
from services.common.logging import get_logger
from services.ingest.cameras import CameraBook
from services.ingest.inlet import Inlet
from services.ingest.intake import UnreadableError, read_elements
from services.ingest.publisher import Publisher
from services.ingest.settings import IngestSettings
from services.ingest.sources.base import SourceError
from services.ingest.status import SourceStatus

log = get_logger(__name__)

PATH = "/webhooks/corsight"

SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - the header's name

SIGNATURE_HEADER = "X-Webhook-Signature"
"""``sha256=`` and the HMAC of the body by the same secret, in hexadecimal, for callers that can sign."""

RETRY_AFTER_SECONDS = 5

MAX_BYTES_AT_WORK = 32 * 1024 * 1024
"""Of all requests together; what is made of them takes some times as much."""


class TooLargeError(Exception):
    """The body is longer than allowed; the rest of it was not read."""


class CrowdedError(Exception):
    """With this body more would be at work than is held in memory at once."""


class StrangerError(Exception):
    """The caller does not know the secret."""


class Webhook:
    """Answers 202 once Kafka has everything, refusals included; before that, the caller must keep its events."""

    name = "corsight:webhook"

    def __init__(self, settings: IngestSettings, publisher: Publisher, cameras: CameraBook) -> None:
        self.status = SourceStatus(self.name)
        self._inlet = Inlet(settings, publisher, cameras, self.status)
        self._publisher = publisher
        self._max_body_bytes = settings.ingest_max_body_bytes
        self._max_requests = settings.ingest_requests
        self._secret = settings.webhook_secret.encode()
        self._is_open = False
        self._at_work = 0
        self._bytes_at_work = 0
        # An ASGI application: FastAPI's reading of parameters, of which there are none, would be a third of the work.
        self.router = APIRouter(routes=[Route(PATH, _Endpoint(self._receive))])

    async def run(self) -> None:
        self._is_open = True
        self.status.live()
        try:
            await asyncio.Event().wait()
        finally:
            self._is_open = False

    async def test(self) -> str:
        if not (await self._publisher.check()).ok:
            raise SourceError("Kafka cannot be reached, so that nothing would be taken")
        called_at = self.status.heard_at
        called = f"was called last at {called_at:%Y-%m-%d %H:%M:%S} UTC" if called_at else "was not called yet"
        return f"The webhook at {PATH} takes events and {called}."

    async def _receive(self, request: Request) -> Response:
        if not self._is_open:
            return _busy("the webhook takes nothing now")
        if self._at_work >= self._max_requests:
            return _busy("too many requests at once")
        self._at_work += 1
        chunks: list[bytes] = []
        try:
            headers = dict(request.scope["headers"])
            continue_trace([("traceparent", headers.get(b"traceparent", b""))])
            return await self._deliver(await self._read(request, headers, chunks))
        except StrangerError:
            return _problem(HTTPStatus.UNAUTHORIZED, f"{SECRET_HEADER} or {SIGNATURE_HEADER} is missing or wrong")
        except TooLargeError:
            return _problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {self._max_body_bytes:,} bytes"
            )
        except CrowdedError:
            return _busy("too much at once")
        except PublishError as error:
            log.error("cannot publish", reason=str(error))
            self.status.retrying(
                f"{error}; callers are asked to send the events again",
                clock.now() + timedelta(seconds=RETRY_AFTER_SECONDS),
            )
            return _busy("the events cannot be taken now; send them again")
        finally:
            self._at_work -= 1
            self._bytes_at_work -= sum(map(len, chunks))

    async def _deliver(self, body: bytes) -> Response:
        now = clock.now()
        try:
            taken = await self._inlet.deliver(read_elements(body, self.name), now=now)
        except UnreadableError as error:
            await self._inlet.refuse(error.refusal)
            return _problem(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}")
        self.status.live(now)
        counts = {"accepted": taken.accepted, "rejected": taken.rejected, "unknown": taken.unknown}
        return Response(msgspec.json.encode(counts), HTTPStatus.ACCEPTED, media_type="application/json")

    async def _read(self, request: Request, headers: Mapping[bytes, bytes], chunks: list[bytes]) -> bytes:
        """The body, of a caller that knows the secret; a stranger's is read only where it may be signed.

        It gathers in `chunks`, which count as bytes at work until somebody has taken them off.
        """
        signature = headers.get(SIGNATURE_HEADER.lower().encode())
        secret = headers.get(SECRET_HEADER.lower().encode(), b"")
        if signature is None and not hmac.compare_digest(secret, self._secret):
            raise StrangerError
        size = 0
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            self._bytes_at_work += len(chunk)
            if size > self._max_body_bytes:
                raise TooLargeError
            if self._bytes_at_work > MAX_BYTES_AT_WORK:
                raise CrowdedError
        body = b"".join(chunks)
        if signature is not None:
            digest = hmac.digest(self._secret, body, hashlib.sha256).hex()
            if not hmac.compare_digest(signature.lower(), f"sha256={digest}".encode()):
                raise StrangerError
        return body


class _Endpoint:
    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            response = await self._answer(Request(scope, receive))
        else:
            response = _problem(HTTPStatus.METHOD_NOT_ALLOWED, "events are posted here", {"Allow": "POST"})
        await response(scope, receive, send)


def _busy(detail: str) -> Response:
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    problem = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return Response(msgspec.json.encode(problem), status, headers, media_type="application/problem+json")
