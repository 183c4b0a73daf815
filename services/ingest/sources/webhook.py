"""``POST /webhooks/corsight``: the vendor posts one event or an array of them."""

import secrets
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.common import clock
from services.common.kafka.headers import continue_trace
from services.common.kafka.producer import PublishError
from services.common.logging import get_logger
from services.common.metrics import CONSUMED
from services.ingest.cameras import CameraBook
from services.ingest.intake import UnreadableError, read_elements, take
from services.ingest.publisher import Publisher
from services.ingest.settings import IngestSettings

log = get_logger(__name__)

SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - the header's name

RETRY_AFTER_SECONDS = 5


class TooLargeError(Exception):
    """The body is longer than allowed; the rest of it was not read."""


class Webhook:
    """Answers 202 once Kafka has everything, refusals included; before that, the caller must keep its events."""

    name = "corsight:webhook"

    def __init__(self, settings: IngestSettings, publisher: Publisher, cameras: CameraBook) -> None:
        self._settings = settings
        self._publisher = publisher
        self._cameras = cameras
        self._secret = settings.webhook_secret.encode()
        self._at_work = 0
        self.router = APIRouter()
        self.router.add_api_route(
            "/webhooks/corsight", self._receive, methods=["POST"], status_code=202, response_class=JSONResponse
        )

    async def run(self) -> None:
        return

    async def _receive(self, request: Request) -> JSONResponse:
        if not secrets.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), self._secret):
            return _problem(HTTPStatus.UNAUTHORIZED, f"{SECRET_HEADER} is missing or wrong")
        if self._at_work >= self._settings.ingest_requests:
            return _busy("too many requests at once")
        self._at_work += 1
        try:
            continue_trace([("traceparent", request.headers.get("traceparent", "").encode())])
            return await self._deliver(await self._read(request))
        except TooLargeError:
            limit = self._settings.ingest_max_body_bytes
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {limit:,} bytes")
        except PublishError as error:
            log.error("cannot publish", reason=str(error))
            return _busy("Kafka does not take the events now; send them again")
        finally:
            self._at_work -= 1

    async def _deliver(self, body: bytes) -> JSONResponse:
        now = clock.now()
        try:
            taken = take(read_elements(body, self.name), self.name, now)
        except UnreadableError as error:
            await self._publisher.publish_refused([error.refusal], self.name)
            return _problem(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}")
        await self._publisher.publish_taken(taken, self.name)
        CONSUMED.labels(self.name).inc(taken.accepted)
        if taken.accepted or taken.refused:
            self._cameras.spoke(self.name, now)
        for appearance in taken.appearances:
            self._cameras.saw(self.name, appearance)
        for insight in taken.insights:
            self._cameras.saw(self.name, insight)
        return JSONResponse({"accepted": taken.accepted, "rejected": len(taken.refused)}, HTTPStatus.ACCEPTED)

    async def _read(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._settings.ingest_max_body_bytes:
                raise TooLargeError
        return bytes(body)


def _busy(detail: str) -> JSONResponse:
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail},
        status,
        headers,
        media_type="application/problem+json",
    )
