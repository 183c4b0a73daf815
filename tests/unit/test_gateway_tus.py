"""The tus protocol as a client sees it; what becomes of a whole file is another's matter and stands in here."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from services.common import clock
from services.common.auth import SESSION_COOKIE
from services.gateway.app import create_app
from services.gateway.dependencies import Resources
from services.gateway.errors import ConflictError, UnavailableError, UnsupportedFileError
from services.gateway.models import Upload
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.receive import ReceivedFile
from services.gateway.uploads.resumable import ResumableUploads
from services.gateway.uploads.store import FolderStore
from tests.unit.test_gateway_app import bearer, client_of, token

PATH = "/api/v1/tus"
VERSION = {"Tus-Resumable": "1.0.0"}
LIMIT = 1_000


class Database:
    """Knows one user, and what he did."""

    def __init__(self, role: str) -> None:
        self.user = {"user_id": str(uuid.uuid4()), "email": "u@example.com", "role": role}
        self.audit: list[tuple[Any, ...]] = []

    async def fetchrow(self, *_: Any) -> dict[str, str]:
        return self.user

    async def execute(self, _: str, *values: Any) -> None:
        self.audit.append(values)


class Gateway:
    """Takes every whole file, unless `refusal` says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.settings = GatewaySettings(home=folder, frontend_dist=folder, max_upload_bytes=LIMIT)
        self.app = create_app(self.settings)
        self.store = FolderStore(folder)
        self.accepted: list[tuple[ReceivedFile, str]] = []
        self.refusal: Exception | None = None
        self.log_in("operator")

    def log_in(self, role: str) -> None:
        nothing: Any = None
        self.database = Database(role)
        self.app.state.resources = Resources(
            settings=self.settings,
            token_secret="s" * 40,
            db=cast(Any, self.database),
            store=self.store,
            resumable=ResumableUploads(self.store),
            producer=nothing,
            redis=nothing,
            feeder=nothing,
            settler=nothing,
            announcer=nothing,
            listener=nothing,
            rules=nothing,
            sink_lag=nothing,
            exports=asyncio.Semaphore(),
            inline_uploads=asyncio.Semaphore(),
        )

    async def accept(self, file: ReceivedFile, zone: str, email: str, opened: Resources) -> Upload:
        if self.refusal:
            raise self.refusal
        known = any(before.sha256 == file.sha256 for before, _ in self.accepted)
        self.accepted.append((file, zone))
        return Upload(
            upload_id=f"upload-{file.sha256[:4]}", file_name=file.file_name, kind="appearances", status="completed",
            phase="settling", sha256=file.sha256, timezone=zone, rows_total=0, rows_accepted=0, rows_rejected=0,
            rejects_by_reason={}, reject_share=0, bytes_done=0, bytes_total=file.size, created_at=clock.now(),
            completed_at=None, uploaded_by=email, duplicate=known,
        )  # fmt: skip


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    found = Gateway(tmp_path)
    monkeypatch.setattr("services.gateway.routers.tus.accept_file", found.accept)
    return found


@pytest_asyncio.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(gateway.app, headers=VERSION | bearer(token())) as found:
        yield found


def metadata(**told: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())


async def announce(client: httpx.AsyncClient, length: int, **told: str) -> httpx.Response:
    return await client.post(PATH, headers={"Upload-Length": str(length), "Upload-Metadata": metadata(**told)})


async def send(client: httpx.AsyncClient, location: str, offset: int, content: bytes, **more: str) -> httpx.Response:
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **more}
    return await client.patch(location, headers=headers, content=content)


async def test_a_file_comes_in_pieces_and_its_last_answer_names_the_upload(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    created = await announce(client, 10, filename="../tägliche Liste.csv", timezone="Asia/Jakarta", filetype="text/csv")
    location = created.headers["location"]
    assert (created.status_code, created.headers["tus-resumable"]) == (201, "1.0.0")
    assert location.startswith(f"{PATH}/")
    assert created.headers["upload-expires"].endswith("GMT")

    first = await send(client, location, 0, b"0123")
    assert (first.status_code, first.headers["upload-offset"], "upload-id" in first.headers) == (204, "4", False)
    told = await client.head(location)
    assert (told.status_code, told.headers["upload-offset"], told.headers["upload-length"]) == (200, "4", "10")
    assert told.headers["cache-control"] == "no-store"
    assert told.headers["upload-metadata"].startswith("filename ")
    assert gateway.accepted == []

    last = await send(client, location, 4, b"456789")
    [(file, zone)] = gateway.accepted
    assert (file.file_name, file.size, zone) == ("tägliche Liste.csv", 10, "Asia/Jakarta")
    assert (last.status_code, last.headers["upload-id"]) == (204, f"upload-{file.sha256[:4]}")
    assert gateway.database.audit[0][:3] == ("u@example.com", "upload", last.headers["upload-id"])
    for _ in range(2):
        told = await client.head(location)
        assert (told.headers["upload-offset"], told.headers["upload-id"]) == ("10", last.headers["upload-id"])
    assert (await send(client, location, 10, b"")).headers["upload-id"] == last.headers["upload-id"]
    assert len(gateway.accepted) == len(gateway.database.audit) == 1


async def test_the_last_answer_says_when_the_same_bytes_came_before(client: httpx.AsyncClient) -> None:
    first, again = [(await announce(client, 4, filename="a.csv")).headers["location"] for _ in range(2)]
    answer = await send(client, first, 0, b"abcd")
    assert (answer.status_code, "upload-duplicate" in answer.headers) == (204, False)
    told = [await send(client, again, 0, b"abcd"), await client.head(again)]
    assert [each.headers["upload-duplicate"] for each in told] == ["true", "true"]
    assert {each.headers["upload-id"] for each in told} == {answer.headers["upload-id"]}
    assert "upload-duplicate" not in (await client.head(first)).headers


async def test_what_the_server_can_is_told_to_anybody(gateway: Gateway) -> None:
    async with client_of(gateway.app) as nobody:
        answer = await nobody.options(PATH)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(LIMIT)
    assert answer.headers["tus-extension"] == "creation,expiration,termination,checksum"
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


async def test_a_refused_file_is_told_why_and_forgotten(
    client: httpx.AsyncClient, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.refusal = UnsupportedFileError("“a.png” is a PNG image, not CSV or JSON")
    location = (await announce(client, 4, filename="a.png")).headers["location"]
    answer = await send(client, location, 0, b"\x89PNG")
    assert (answer.status_code, answer.json()["detail"]) == (415, str(gateway.refusal))
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert (await client.head(location)).status_code == 404
    assert list((tmp_path / "resumable").iterdir()) == []


async def test_a_refusal_is_none_that_a_client_would_try_again(client: httpx.AsyncClient, gateway: Gateway) -> None:
    gateway.refusal = ConflictError("A part of this file was imported before.")
    location = (await announce(client, 4, filename="a.csv")).headers["location"]
    answer = await send(client, location, 0, b"abcd")
    assert (answer.status_code, answer.json()["detail"]) == (422, "A part of this file was imported before.")
    assert (await client.head(location)).status_code == 404


async def test_a_file_that_could_not_be_accepted_for_now_is_with_the_next_question(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    gateway.refusal = UnavailableError("Kafka is away.")
    location = (await announce(client, 4, filename="a.csv")).headers["location"]
    answer = await send(client, location, 0, b"abcd")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await client.head(location)).status_code == 503
    gateway.refusal = None
    told = await client.head(location)
    assert (told.status_code, told.headers["upload-offset"], "upload-id" in told.headers) == (200, "4", True)


async def test_an_empty_file_meets_its_fate_when_it_is_announced(client: httpx.AsyncClient, gateway: Gateway) -> None:
    gateway.refusal = UnsupportedFileError("empty")
    assert (await announce(client, 0, filename="a.csv")).status_code == 415


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": str(LIMIT + 1)}, 413),
        ({"Upload-Length": "9" * 40}, 413),
        ({"Upload-Length": "-1"}, 422),
        ({"Upload-Defer-Length": "1"}, 422),
        ({"Upload-Length": "1", "Upload-Metadata": "filename ***"}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": "filename /w=="}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": metadata(timezone="Mars/Olympus")}, 422),
        ({"Upload-Length": "1", "Tus-Resumable": "0.2.2"}, 412),
    ],
)
async def test_an_announcement_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    answer = await client.post(PATH, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not (tmp_path / "resumable").exists()


async def test_bytes_that_do_not_fit_are_refused(client: httpx.AsyncClient) -> None:
    location = (await announce(client, 10)).headers["location"]
    await send(client, location, 0, b"0123")
    assert (await send(client, location, 0, b"0123")).status_code == 409
    assert (await send(client, location, 8, b"0123")).status_code == 409
    assert (await send(client, location, 4, b"4567890")).status_code == 413
    assert (await send(client, location, 4, b"4", **{"Content-Type": "text/csv"})).status_code == 415
    assert (await send(client, location, 4, b"4", **{"Upload-Checksum": "sha1 AAAA"})).status_code == 460
    assert (await send(client, location, 4, b"4", **{"Upload-Checksum": "md5 AAAA"})).status_code == 400
    assert (await client.head(location)).headers["upload-offset"] == "4"


async def test_an_upload_that_is_given_up_is_gone(client: httpx.AsyncClient, tmp_path: Path) -> None:
    location = (await announce(client, 10)).headers["location"]
    await send(client, location, 0, b"0123")
    assert (await client.delete(location)).status_code == 204
    for answer in (await client.head(location), await client.delete(location), await send(client, location, 4, b"4")):
        assert answer.status_code == 404
    assert list((tmp_path / "resumable").iterdir()) == []


@pytest.mark.parametrize("tus_id", [str(uuid.uuid4()), "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "x"])
async def test_an_id_that_is_none_is_no_path(client: httpx.AsyncClient, tus_id: str) -> None:
    for answer in (await client.head(f"{PATH}/{tus_id}"), await client.delete(f"{PATH}/{tus_id}")):
        assert answer.status_code in (404, 405, 422)


async def test_the_upload_of_another_user_is_not_found(client: httpx.AsyncClient, gateway: Gateway) -> None:
    location = (await announce(client, 10)).headers["location"]
    gateway.log_in("admin")
    for answer in (await client.head(location), await client.delete(location), await send(client, location, 0, b"4")):
        assert answer.status_code == 404


async def test_it_takes_an_operator(client: httpx.AsyncClient, gateway: Gateway) -> None:
    location = (await announce(client, 10)).headers["location"]
    gateway.database.user["role"] = "viewer"
    for answer in (
        await announce(client, 10), await client.head(location), await client.delete(location),
        await send(client, location, 0, b"4"),
    ):  # fmt: skip
        assert answer.status_code == 403
    gateway.database.user["role"] = "operator"
    assert (await client.head(location)).headers["upload-offset"] == "0"


async def test_a_sender_behind_a_proxy_that_passes_only_post_names_the_method_in_a_header(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    location = (await announce(client, 10)).headers["location"]
    patch = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "X-HTTP-Method-Override": "PATCH"}
    added = await client.post(location, headers=patch, content=b"0123")
    assert (added.status_code, added.headers["upload-offset"]) == (204, "4")
    async with client_of(gateway.app, headers=VERSION, cookies={SESSION_COOKIE: token()}) as browser:
        other = await browser.post(location, headers={**patch, "Origin": "http://evil.test"}, content=b"0123")
    assert other.status_code == 403
    assert (await client.post(location, headers={"X-HTTP-Method-Override": "purge"})).status_code == 405
    assert (await client.post(location, headers={"X-HTTP-Method-Override": "delete"})).status_code == 204
    assert (await client.head(location)).status_code == 404


async def test_a_page_of_another_site_cannot_send_for_a_user(gateway: Gateway) -> None:
    async with client_of(gateway.app, headers=VERSION, cookies={SESSION_COOKIE: token()}) as browser:
        own = await browser.post(PATH, headers={"Upload-Length": "1", "Origin": "http://dashboard.test"})
        other = await browser.post(PATH, headers={"Upload-Length": "1", "Origin": "http://evil.test"})
    assert (own.status_code, other.status_code) == (201, 403)
    assert "access-control-allow-origin" not in own.headers
