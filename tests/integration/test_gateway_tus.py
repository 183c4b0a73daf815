"""Files in pieces to a real gateway process: connections that break, a gateway that dies, and what is stored."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.topics import Topic
from services.gateway.uploads.receive import WRITE_BYTES
from tests.support.databases import fresh_database
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD, environment
from tests.support.kafka import make_topics_empty, read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.waiting import wait_until

# One gateway for all tests here: each test uploads bytes and names cameras of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

TUS = "/api/v1/tus"
HEADER = "person_id,camera_id,appearance_id,utc_time_started_readable,utc_time_ended_readable\n"
BYTES = {"Content-Type": "application/offset+octet-stream"}


def day(camera: str, rows: int) -> bytes:
    lines = [
        f"p{row},{camera},{camera}-{row},2026-03-{row // 1_440 + 1:02} {row // 60 % 24:02}:{row % 60:02}:00,"
        f"2026-03-{row // 1_440 + 1:02} {row // 60 % 24:02}:{row % 60:02}:10\n"
        for row in range(rows)
    ]
    return (HEADER + "".join(lines)).encode()


class Sender:
    """A user, and connections of his that nobody ends properly."""

    def __init__(self, http: httpx.AsyncClient, raw: Path) -> None:
        self.http = http
        self.raw = raw

    async def log_in(self) -> None:
        answer = await self.http.post("/api/v1/auth/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
        self.http.cookies.clear()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def announce(self, content: bytes, name: str = "day.csv") -> str:
        told = f"filename {base64.b64encode(name.encode()).decode()}"
        answer = await self.http.post(TUS, headers={"Upload-Length": str(len(content)), "Upload-Metadata": told})
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def send(self, location: str, offset: int, content: bytes) -> httpx.Response:
        return await self.http.patch(location, headers={"Upload-Offset": str(offset), **BYTES}, content=content)

    async def offset(self, location: str) -> int:
        answer = await self.http.head(location)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])

    async def finish(self, location: str, content: bytes) -> Any:
        """Send what is missing, and return the upload that it is."""
        offset = await self.offset(location)
        answer = await self.send(location, offset, content[offset:])
        assert answer.status_code == 204, answer.text
        return await self.upload(answer.headers["upload-id"])

    async def upload(self, upload_id: str) -> Any:
        return (await self.http.get(f"/api/v1/uploads/{upload_id}")).json()

    def part(self, location: str) -> Path:
        return self.raw / "resumable" / location.rsplit("/", 1)[-1]

    def sending(self, location: str, length: int, content: bytes) -> AbstractAsyncContextManager[asyncio.StreamReader]:
        return self.broken("PATCH", location, {"Upload-Offset": "0", **BYTES}, length, content)

    @asynccontextmanager
    async def broken(
        self, method: str, path: str, headers: dict[str, str], length: int, content: bytes
    ) -> AsyncIterator[asyncio.StreamReader]:
        """A request that announces more than it sends, and hangs until the block ends; then its connection drops."""
        address = urlsplit(str(self.http.base_url))
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        own = {name: self.http.headers[name] for name in ("Authorization", "Tus-Resumable")}
        all_headers = {"Host": address.netloc, "Content-Length": str(length)} | own | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        await writer.drain()
        try:
            yield reader
        finally:
            writer.transport.abort()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tus")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def processes(servers: Servers, folder: Path) -> AsyncIterator[ServiceProcesses]:
    await make_topics_empty(servers.kafka)
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()
    async with (
        fresh_database(servers.postgres) as database,
        ServiceProcesses(environment(servers, database, folder / "home"), folder / "log") as running,
    ):
        await running.start("gateway")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sender(processes: ServiceProcesses, folder: Path) -> AsyncIterator[Sender]:
    async with httpx.AsyncClient(
        base_url=processes.address("gateway"), headers={"Tus-Resumable": "1.0.0"}, timeout=60, trust_env=False
    ) as http:
        found = Sender(http, folder / "home" / "raw")
        await found.log_in()
        yield found


async def test_a_file_in_pieces_goes_the_way_of_every_upload(sender: Sender, servers: Servers) -> None:
    content = day("pieces", 3_000)
    location = await sender.announce(content, "../day one.csv")
    for start in range(0, len(content), 50_000):
        answer = await sender.send(location, start, content[start : start + 50_000])
    upload = await sender.upload(answer.headers["upload-id"])
    assert (upload["file_name"], upload["rows_accepted"], upload["status"]) == ("day one.csv", 3_000, "completed")
    assert upload["uploaded_by"] == ADMIN_EMAIL
    assert upload["sha256"] == hashlib.sha256(content).hexdigest()
    found = await read_items(servers.kafka, Topic.APPEARANCES)
    assert len([item for item in found if getattr(item, "camera_id", None) == "pieces"]) == 3_000


async def test_bytes_that_came_before_are_the_first_upload(sender: Sender) -> None:
    content = day("again", 10)
    whole = await sender.http.post("/api/v1/uploads", files={"file": ("whole.csv", content)})
    upload = await sender.finish(await sender.announce(content), content)
    assert (whole.status_code, upload["upload_id"]) == (201, whole.json()["upload_id"])
    assert upload["file_name"] == "whole.csv"


async def test_two_files_of_one_name_are_two_uploads(sender: Sender) -> None:
    contents = [day("one", 10), day("two", 10)]
    locations = [await sender.announce(content) for content in contents]
    uploads = [await sender.finish(*pair) for pair in zip(locations, contents, strict=True)]
    assert [upload["file_name"] for upload in uploads] == ["day.csv", "day.csv"]
    assert len({upload["upload_id"] for upload in uploads}) == 2


@pytest.mark.parametrize(
    ("content", "status", "found"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, 415, "PNG image"),
        (b"person_id,utc_time_started,utc_time_ended\np1,1,2\n", 422, "camera_id"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_with_its_last_byte(
    sender: Sender, content: bytes, status: int, found: str
) -> None:
    location = await sender.announce(content)
    answer = await sender.send(location, 0, content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert found in answer.json()["detail"]
    assert (await sender.http.head(location)).status_code == 404


async def test_a_dropped_connection_loses_nothing_of_what_was_written(sender: Sender) -> None:
    content = day("dropped", 30_000)
    location = await sender.announce(content)

    async def is_written() -> bool:
        return sender.part(location).stat().st_size >= WRITE_BYTES

    async with sender.sending(location, len(content), content[: WRITE_BYTES + 9]):
        await wait_until(is_written)
    assert WRITE_BYTES <= await sender.offset(location) <= WRITE_BYTES + 9
    upload = await sender.finish(location, content)
    assert (upload["rows_accepted"], upload["sha256"]) == (30_000, hashlib.sha256(content).hexdigest())


async def test_a_sender_need_not_wait_for_his_dead_connection(sender: Sender) -> None:
    content = day("dead", 30_000)
    location = await sender.announce(content)
    async with sender.sending(location, len(content), content[: WRITE_BYTES + 9]) as dead:

        async def is_written() -> bool:
            return sender.part(location).stat().st_size >= WRITE_BYTES

        await wait_until(is_written)
        assert (await sender.send(location, 0, content)).status_code == 423
        assert WRITE_BYTES <= await sender.offset(location) <= WRITE_BYTES + 9
        assert b" 409 " in await dead.readline()
        upload = await sender.finish(location, content)
    assert (upload["rows_accepted"], upload["sha256"]) == (30_000, hashlib.sha256(content).hexdigest())


async def test_an_upload_survives_a_gateway_that_is_killed(
    sender: Sender, processes: ServiceProcesses, servers: Servers
) -> None:
    content = day("killed", 30_000)
    location = await sender.announce(content)
    async with sender.sending(location, len(content), content[: WRITE_BYTES + 9]):

        async def is_written() -> bool:
            return sender.part(location).stat().st_size >= WRITE_BYTES

        await wait_until(is_written)
        processes.kill("gateway")
    await processes.start("gateway")
    assert await sender.offset(location) >= WRITE_BYTES
    upload = await sender.finish(location, content)
    assert (upload["rows_accepted"], upload["sha256"]) == (30_000, hashlib.sha256(content).hexdigest())
    found = await read_items(servers.kafka, Topic.APPEARANCES)
    assert len([item for item in found if getattr(item, "camera_id", None) == "killed"]) == 30_000


async def test_of_a_form_that_drops_nothing_is_kept(sender: Sender) -> None:
    def incoming() -> int:
        return len(list((sender.raw / "incoming").iterdir()))

    content = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + day("form", 30_000)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with sender.broken("POST", "/api/v1/uploads", headers, 2 * len(content), content):

        async def has_begun() -> bool:
            return incoming() == 1

        await wait_until(has_begun)

    async def is_gone() -> bool:
        return incoming() == 0

    await wait_until(is_gone)
