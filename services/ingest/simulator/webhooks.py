"""The vendor posts its events; while the receiver is away it waits, and then catches up."""

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable

import httpx

from services.common.logging import get_logger
from services.ingest.sources.webhook import SECRET_HEADER, SIGNATURE_HEADER

log = get_logger(__name__)

MAX_WAITING = 100_000
MAX_AT_ONCE = 200
RETRY_SECONDS = 2.0


class Webhooks:
    """Posts one event as a bare object, several as an array. Of more than can wait the oldest are lost."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, secret: str, *, signed: bool = False, max_at_once: int = MAX_AT_ONCE
    ) -> None:
        self._client = client
        self._url = url
        self._secret = secret
        self._signed = signed
        self._max_at_once = max_at_once
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()

    def put(self, bodies: Iterable[bytes]) -> None:
        self._waiting.extend(bodies)
        self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                count = min(len(self._waiting), self._max_at_once)
                await self._post([self._waiting.popleft() for _ in range(count)])

    async def _post(self, bodies: list[bytes]) -> None:
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        while True:
            try:
                response = await self._client.post(self._url, content=body, headers=self._headers(body))
                if response.status_code == httpx.codes.ACCEPTED:
                    if rejected := response.json()["rejected"]:
                        log.warning("events rejected", count=rejected)
                    return
                reason = f"{response.status_code} {response.text[:200]}"
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            log.warning("the webhook does not take the events, will try again", url=self._url, reason=reason)
            await asyncio.sleep(RETRY_SECONDS)

    def _headers(self, body: bytes) -> dict[str, str]:
        proof = {SECRET_HEADER: self._secret}
        if self._signed:
            proof = {SIGNATURE_HEADER: f"sha256={hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()}"}
        return {"Content-Type": "application/json", **proof}
