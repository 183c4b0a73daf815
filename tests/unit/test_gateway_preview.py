"""A look at a file before it is uploaded: what is answered, from how much of it, and to whom."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.common.corsight.preview import PREVIEW_BYTES
from services.gateway.app import create_app
from tests.unit.test_gateway_app import bearer, client_of, settings, token, with_user

PATH = "/api/v1/uploads/preview"
HEADER = "person_id,camera_id,utc_time_started_readable,utc_time_ended_readable,shoe_size\n"
ROW = "p1,c1,2026-03-10 10:00,2026-03-10 10:01,42\n"


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Nothing stands behind it but its user: a preview needs no store, no Kafka and no tables."""
    given = settings(tmp_path)
    async with client_of(with_user(create_app(given), given, "operator"), headers=bearer(token())) as found:
        yield found


async def seen(client: httpx.AsyncClient, content: bytes, name: str = "day.csv", **fields: str) -> Any:
    answer = await client.post(PATH, files={"file": (name, content)}, data=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_preview_tells_columns_rows_and_what_is_wrong_with_them(client: httpx.AsyncClient) -> None:
    found = await seen(client, (HEADER + ROW + ",c1,2026-03-10 10:00,2026-03-10 10:01,42\n").encode())
    assert (found["kind"], found["format"], found["delimiter"], found["gzipped"]) == ("appearances", "csv", ",", False)
    assert [column["field"] for column in found["columns"][:2]] == ["person_id", "camera_id"]
    assert found["columns"][4]["how"] == "extra"
    assert (found["refusal"], found["missing"]) == (None, [])
    good, bad = found["rows"]
    assert (good["line"], good["item"]["camera_id"], good["reason_code"]) == (2, "c1", None)
    assert (bad["line"], bad["item"], bad["reason_code"]) == (3, None, "missing_person")


async def test_times_are_in_the_zone_that_the_form_names(client: httpx.AsyncClient) -> None:
    found = await seen(client, (HEADER + ROW).encode(), timezone="Asia/Jakarta")
    assert found["rows"][0]["item"]["started_at"] == "2026-03-10T03:00:00Z"


async def test_a_packed_file_is_looked_into(client: httpx.AsyncClient) -> None:
    found = await seen(client, gzip.compress((HEADER + ROW).encode()), "day.csv.gz")
    assert (found["gzipped"], len(found["rows"])) == (True, 1)


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 415, "PNG image"),
        (b"", 422, "empty"),
        (b"person_id,utc_time_started,utc_time_ended\np1,1,2\n", 422, "camera_id"),
    ],
)
async def test_a_file_that_would_be_refused_is_an_answer_too(
    client: httpx.AsyncClient, content: bytes, status: int, told: str
) -> None:
    found = await seen(client, content)
    assert found["refusal"]["status"] == status
    assert told in found["refusal"]["detail"]


async def test_the_answer_does_not_wait_for_the_rest_of_a_large_file(client: httpx.AsyncClient) -> None:
    async def form() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="timezone"\r\n\r\nAsia/Jakarta\r\n'
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="day.csv"\r\n\r\n' + HEADER.encode()
        for _ in range(PREVIEW_BYTES // (len(ROW) * 100) + 1):
            yield ROW.encode() * 100
        await asyncio.Event().wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with asyncio.timeout(10):
        answer = await client.post(PATH, headers=headers, content=form())
    assert (answer.status_code, len(answer.json()["rows"])) == (200, 50)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nperson_id', 422),
        (b'--x\r\nContent-Disposition: form-data; name="timezone"\r\n\r\nUTC\r\n--x--\r\n', 422),
    ],
)
async def test_a_form_that_is_none_is_refused(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await client.post(PATH, headers={"Content-Type": "multipart/form-data; boundary=x"}, content=content)
    assert answer.status_code == status


async def test_a_zone_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, files={"file": ("a.csv", b"x")}, data={"timezone": "Mars/Olympus"})
    assert answer.status_code == 422


async def test_it_takes_an_operator(tmp_path: Path) -> None:
    given = settings(tmp_path)
    async with client_of(with_user(create_app(given), given, "viewer"), headers=bearer(token())) as client:
        assert (await client.post(PATH, files={"file": ("a.csv", b"x")})).status_code == 403
