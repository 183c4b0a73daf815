"""Speaking to a Corsight system: logged in, over connections that are what they claim to be."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import msgspec

from services.common.kafka.envelopes import UNREADABLE
from services.common.logging import get_logger
from services.ingest.corsight.endpoints import Service, address_of, sent_on
from services.ingest.corsight.errors import UNTRUSTED, CorsightError, TooLargeError, in_plain_words
from services.ingest.corsight.settings import CorsightSettings
from services.ingest.corsight.tls import is_verified, tls_context

log = get_logger(__name__)

MAX_REDIRECTS = 5

SESSION_SECONDS = 600.0
"""The vendor's default, for where a login does not say how long it lasts."""

RENEW_SECONDS = 60.0
"""So long before its end a session is renewed; one of under two minutes at half of its time."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024

_SHOWN_CHARS = 200

UNVERIFIED = (
    "TLS certificates are not verified (DWELL_CORSIGHT_TLS_VERIFY is off): anybody on the way to Corsight can read the "
    "password and change what it reports. Name its certificate in DWELL_CORSIGHT_CA_FILE instead."
)


class Session:
    """One login, shared by whatever speaks to the system; renewed before it ends, and when the system refuses it."""

    def __init__(self, settings: CorsightSettings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._logging_in = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client:
            await self._client.aclose()
            self._client = None

    @property
    def warnings(self) -> list[str]:
        """What is true of these settings and ought not to stay so."""
        return [] if is_verified(self._settings) else [UNVERIFIED]

    @asynccontextmanager
    async def stream(self, service: Service, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """An answer to GET that was not read yet. Raises `CorsightError`, from within the block too."""
        with in_plain_words():
            response = await self._ask("GET", service, headers=headers)
            try:
                yield response
            finally:
                await response.aclose()

    async def post(self, service: Service, params: Mapping[str, str | int], body: Any) -> bytes:
        """The answer's body. Raises `CorsightError`."""
        with in_plain_words():
            response = await self._ask(
                "POST",
                service,
                headers={"Content-Type": "application/json"},
                params=params,
                content=msgspec.json.encode(body),
            )
            try:
                return await _read(response)
            finally:
                await response.aclose()

    async def _ask(self, method: str, service: Service, headers: Mapping[str, str], **content: Any) -> httpx.Response:
        """An answer of 200, having logged in anew where the session was refused."""
        token, response = await self._ask_once(method, service, headers, **content)
        if response.status_code == httpx.codes.UNAUTHORIZED and token:
            await response.aclose()
            self._forget(token)
            token, response = await self._ask_once(method, service, headers, **content)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                self._forget(token)
        return await _expect_success(response, f"the {service} service")

    async def _ask_once(
        self, method: str, service: Service, headers: Mapping[str, str], **content: Any
    ) -> tuple[str, httpx.Response]:
        token = await self._current_token()
        authorised = {**headers, "Authorization": f"Bearer {token}"} if token else headers
        url = address_of(self._settings, service)
        return token, await self._follow(method, url, headers=authorised, **content)

    async def _follow(self, method: str, url: httpx.URL, **content: Any) -> httpx.Response:
        """The first answer that does not send on. The headers go along, and so do method and body."""
        response = await self._send(method, [url], **content)
        if response.status_code == httpx.codes.NOT_FOUND:
            await response.aclose()
            response = await self._send(method, [_with_other_slash(url)], **content)
        for _ in range(MAX_REDIRECTS):
            if not response.has_redirect_location:
                return response
            await response.aclose()
            content.pop("params", None)  # they are part of the address by now
            response = await self._send(method, sent_on(response.url, response.headers["Location"]), **content)
        await response.aclose()
        raise CorsightError(f"sent on more than {MAX_REDIRECTS} times, last to {response.url}")

    async def _send(self, method: str, places: list[httpx.URL], **content: Any) -> httpx.Response:
        """The answer of the first place that is there."""
        client = await self._open()
        for place, is_last in ((place, place == places[-1]) for place in places):
            try:
                response = await client.send(client.build_request(method, place, **content), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if is_last or UNTRUSTED in str(error):
                    raise
                log.info("nobody is there, trying the next place", url=str(place), reason=str(error))
                continue
            if is_last or response.status_code != httpx.codes.NOT_FOUND:
                return response
            await response.aclose()
        raise ValueError("there is no place to try")

    async def _current_token(self) -> str:
        """Empty where the settings name no user."""
        if not self._settings.corsight_username:
            return ""
        async with self._logging_in:
            if not self._token or asyncio.get_running_loop().time() >= self._renew_at:
                await self._log_in()
            return self._token

    def _forget(self, token: str) -> None:
        """Unless somebody logged in anew meanwhile."""
        if token == self._token:
            self._token = ""

    async def _log_in(self) -> None:
        name = self._settings.corsight_username
        response = await self._follow(
            "POST",
            address_of(self._settings, Service.USERS),
            data={"username": name, "password": self._settings.corsight_password},
        )
        try:
            if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise CorsightError(f"Corsight refuses the password of {name}", response.status_code)
            answer = await _read(await _expect_success(response, "the login"))
        finally:
            await response.aclose()
        self._token, lasts = _read_login(answer)
        self._renew_at = asyncio.get_running_loop().time() + max(lasts / 2, lasts - RENEW_SECONDS)
        log.info("logged in", user=name, seconds=lasts)

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                settings = self._settings
                encrypted = [url for url in (address_of(settings, each) for each in Service) if url.scheme == "https"]
                # Also where nothing is encrypted: a redirect may lead to where something is.
                verify = await asyncio.to_thread(tls_context, settings, encrypted[0] if encrypted else None)
                for warning in self.warnings:
                    log.warning(warning)
                timeout = httpx.Timeout(settings.corsight_silence_seconds, connect=settings.corsight_connect_seconds)
                self._client = httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False)
            return self._client


def _with_other_slash(url: httpx.URL) -> httpx.URL:
    """Some deployments answer with the slash at the end, some without."""
    return url.copy_with(path=url.path.rstrip("/") if url.path.endswith("/") else url.path + "/")


async def _expect_success(response: httpx.Response, what: str) -> httpx.Response:
    """The same response. Raises `CorsightError` for any but a success, in the system's own words where it has some."""
    if response.is_success:
        return response
    try:
        said = " ".join((await _read(response)).decode(errors="replace").split())[:_SHOWN_CHARS]
    finally:
        await response.aclose()
    status = f"{response.status_code} {response.reason_phrase}".strip()
    raise CorsightError(f"{what} answers {status}{said and f': {said}'}", response.status_code)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise TooLargeError(f"{response.url.path} answers with more than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(body)


def _read_login(answer: bytes) -> tuple[str, float]:
    """The token and for how many seconds it is good. Raises `CorsightError`."""
    try:
        told = msgspec.json.decode(answer)
    except UNREADABLE as error:
        raise CorsightError(f"the login was answered with no JSON: {error}") from error
    told = told if isinstance(told, dict) else {}
    data = told.get("data")
    layers = [data if isinstance(data, dict) else {}, told]
    tokens = [layer.get(name) for layer, name in zip(layers, ("token", "access_token"), strict=True)]
    token = next((each for each in tokens if isinstance(each, str) and each), None)
    if token is None:
        metadata = told.get("metadata")
        said = metadata.get("msg") if isinstance(metadata, dict) else None
        raise CorsightError(f"the login gave no token{f': {said}' if said else ''}")
    lasts = next((layer.get("expires_in") for layer in reversed(layers) if layer.get("expires_in")), None)
    return token, float(lasts) if isinstance(lasts, int | float) and lasts > 0 else SESSION_SECONDS
