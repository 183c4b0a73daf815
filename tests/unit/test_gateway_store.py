"""The raw store, and the way of an upload into it."""

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.gateway.errors import FileTooLargeError, GatewayError, InvalidRequestError
from services.gateway.uploads.receive import ReceivedFile, receive_file, shown_name
from services.gateway.uploads.store import RawStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

BOUNDARY = "frontier"


def form(*parts: tuple[str, bytes], end: bytes = b"--frontier--\r\n") -> bytes:
    body = b"".join(
        b"--frontier\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"
        for disposition, content in parts
    )
    return body + end


async def receive(store: RawStore, body: bytes, *, chunk: int = 7, limit: int = 10_000) -> ReceivedFile:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), chunk):
            yield body[start : start + chunk]

    return await receive_file(
        chunks(), f"multipart/form-data; boundary={BOUNDARY}", None, store, limit, lambda fields: None
    )


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> RawStore:
    return RawStore(tmp_path)


@pytest.mark.parametrize("chunk", [1, 7, 64, 100_000])
async def test_a_file_lies_under_the_hash_of_its_bytes(store: RawStore, tmp_path: Path, chunk: int) -> None:
    content = bytes(range(256)) * 8 + b"\r\n--front\r\n"
    body = form(('name="file"; filename="day.csv"', content), ('name="timezone"', b"Europe/Berlin "))
    received = await receive(store, body, chunk=chunk)
    sha256 = hashlib.sha256(content).hexdigest()
    assert received == ReceivedFile(sha256, len(content), "day.csv", {"timezone": "Europe/Berlin"})
    assert files(tmp_path) == [tmp_path / sha256[:2] / sha256]
    assert store.path(sha256).read_bytes() == content


async def test_the_same_bytes_again_are_one_file(store: RawStore, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        await receive(store, form((f'name="file"; filename="{name}"', b"same")))
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (form(('name="file"; filename="x"', b"x" * 10_001)), FileTooLargeError),
        (form(('name="other"; filename="x"', b"x")), InvalidRequestError),
        (form(('name="file"; filename="x"', b"x"), end=b""), InvalidRequestError),
        (form(('name="file"; filename="x"', b"x"), ('name="file"; filename="y"', b"y")), InvalidRequestError),
        (form(('name="timezone"', b"x" * 2_000), ('name="file"; filename="x"', b"x")), InvalidRequestError),
        (form(*[(f'name="p{n}"', b"") for n in range(20)]), InvalidRequestError),
        (form(('filename="x"', b"x")), InvalidRequestError),
        (b"not a form at all", InvalidRequestError),
        (b"", InvalidRequestError),
    ],
)
async def test_a_form_that_is_not_taken_leaves_nothing_behind(
    store: RawStore, tmp_path: Path, body: bytes, error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        await receive(store, body)
    assert files(tmp_path) == []


async def test_a_file_that_announces_too_much_is_refused_unread(store: RawStore) -> None:
    async def body() -> AsyncIterator[bytes]:
        read.append(True)
        yield b""

    read: list[bool] = []
    with pytest.raises(FileTooLargeError):
        await receive_file(body(), "multipart/form-data; boundary=x", 10**9, store, 10_000, lambda fields: None)
    assert not read


def test_what_a_killed_process_left_half_written_goes_after_a_day(store: RawStore, tmp_path: Path) -> None:
    for name, hours in (("left", 25), ("written", 23)):
        path = tmp_path / "incoming" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        at = (NOW - timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
    store.remove_abandoned(NOW)
    assert [path.name for path in files(tmp_path)] == ["written"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\day.csv", "day.csv"),
        ("a\0b\n.csv", "ab.csv"),
        ("", "unnamed"),
        ("x" * 300, "x" * 255),
        ("tägliche Liste.csv", "tägliche Liste.csv"),
    ],
)
def test_a_file_name_is_only_text_to_show(name: str, shown: str) -> None:
    assert shown_name(name) == shown
