"""The raw store, and the way of an upload into it."""

import csv
import errno
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import obstore
import pytest
from obstore.store import MemoryStore, S3Store

from services.gateway.errors import (
    FileTooLargeError,
    GatewayError,
    InvalidRequestError,
    StorageFullError,
    UnavailableError,
)
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.receive import ReceivedFile, receive_file, shown_name
from services.gateway.uploads.retention import remove_old_files
from services.gateway.uploads.store import BucketStore, FolderStore, RawStore, open_store

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
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.fixture(params=["folder", "bucket"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> RawStore:
    return FolderStore(tmp_path) if request.param == "folder" else BucketStore(MemoryStore(), tmp_path)


def kept(store: RawStore, content: bytes) -> str:
    with store.incoming() as incoming:
        incoming.write(content)
        return incoming.keep()


def test_one_setting_says_where_raw_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    own, other = open_store(GatewaySettings(home=tmp_path)), open_store(GatewaySettings(raw_store=str(tmp_path / "x")))
    bucket = open_store(GatewaySettings(home=tmp_path, raw_store="s3://faces/raw"))
    assert isinstance(own, FolderStore)
    assert isinstance(other, FolderStore)
    assert (own.path("ab").parents[1], other.path("ab").parents[1]) == (tmp_path / "raw", tmp_path / "x")
    assert isinstance(bucket, BucketStore)
    assert bucket.spool.is_relative_to(tmp_path)


async def test_what_is_kept_can_be_read_from_anywhere_in_it_and_removed(any_store: RawStore) -> None:
    content = b"person_id,camera_id\n" + b"".join(b"p%d,c1\n" % number for number in range(1_000_000))
    sha256 = kept(any_store, content)
    assert any_store.exists(sha256)
    with any_store.open(sha256) as file:
        assert (file.seekable(), file.readline(), file.tell()) == (True, b"person_id,camera_id\n", 20)
        assert file.seek(-7, os.SEEK_END) == len(content) - 7
        assert file.read() == content[-7:]
        assert (file.seek(0), file.read()) == (0, content)
        assert file.read(1) == b""
        file.seek(0)
        assert sum(1 for _ in csv.reader(io.TextIOWrapper(file))) == 1_000_001
    any_store.remove(sha256)
    any_store.remove(sha256)
    assert not any_store.exists(sha256)
    with pytest.raises(FileNotFoundError):
        any_store.open(sha256)


def test_nothing_stays_in_the_spool_of_what_went_to_its_place(any_store: RawStore) -> None:
    sha256 = kept(any_store, b"content")
    assert [path.name for path in files(any_store.spool / "incoming")] == []
    with any_store.open(sha256) as file:
        assert file.read() == b"content"


def test_a_file_of_a_bucket_is_fetched_in_large_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[int] = []

    def counted(bucket: MemoryStore, key: str, *, start: int, end: int) -> obstore.Bytes:
        fetched.append(end - start)
        return get_range(bucket, key, start=start, end=end)

    get_range = obstore.get_range
    monkeypatch.setattr(obstore, "get_range", counted)
    store = BucketStore(MemoryStore(), tmp_path)
    lines = b"p,c,1,2\n" * 2_000_000
    with store.open(kept(store, lines)) as file:
        assert sum(1 for _ in file) == 2_000_000
        assert len(fetched) <= 5
        file.seek(0)
        assert len(file.read()) == len(lines)
        assert len(fetched) <= 7


def test_a_bucket_that_does_not_answer_is_no_broken_file(tmp_path: Path) -> None:
    bucket = S3Store.from_url(
        "s3://raw", endpoint="http://127.0.0.1:9", region="x", access_key_id="x", secret_access_key="x",
        client_options={"allow_http": True}, retry_config={"max_retries": 0},
    )  # fmt: skip
    store = BucketStore(bucket, tmp_path)
    asked: list[Callable[[str], object]] = [
        store.open,
        store.exists,
        store.remove,
        lambda _: kept(store, b"x"),
        lambda _: list(store.older_than(NOW)),
    ]
    for ask in asked:
        with pytest.raises(UnavailableError):
            ask("ab" * 32)
    assert files(tmp_path) == []


class Uploads:
    """A database in which one file is being worked on."""

    def __init__(self, unfinished: str) -> None:
        self.unfinished = unfinished

    async def fetch(self, query: str) -> list[dict[str, Any]]:
        return [{"sha256": self.unfinished}]


async def test_old_files_go_but_those_that_are_still_needed(any_store: RawStore) -> None:
    names = [kept(any_store, content) for content in (b"1", b"2", b"3")]
    db = cast(asyncpg.Pool, Uploads(names[1]))
    an_hour = timedelta(hours=1)
    assert await remove_old_files(db, any_store, datetime.now(UTC) - an_hour) == 0
    assert await remove_old_files(db, any_store, datetime.now(UTC) + an_hour) == 2
    assert [any_store.exists(name) for name in names] == [False, True, False]


async def test_a_full_disk_is_told_as_such_and_leaves_nothing(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFullError):
        await receive(store, form(('name="file"; filename="x"', b"x" * 5_000)))
    assert files(tmp_path) == []


@pytest.mark.parametrize("chunk", [1, 7, 64, 100_000])
async def test_a_file_lies_under_the_hash_of_its_bytes(store: FolderStore, tmp_path: Path, chunk: int) -> None:
    content = bytes(range(256)) * 8 + b"\r\n--front\r\n"
    body = form(('name="file"; filename="day.csv"', content), ('name="timezone"', b"Europe/Berlin "))
    received = await receive(store, body, chunk=chunk)
    sha256 = hashlib.sha256(content).hexdigest()
    assert received == ReceivedFile(sha256, len(content), "day.csv", {"timezone": "Europe/Berlin"})
    assert files(tmp_path) == [tmp_path / sha256[:2] / sha256]
    assert store.path(sha256).read_bytes() == content


async def test_the_same_bytes_again_are_one_file(store: FolderStore, tmp_path: Path) -> None:
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
    store: FolderStore, tmp_path: Path, body: bytes, error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        await receive(store, body)
    assert files(tmp_path) == []


async def test_a_file_that_announces_too_much_is_refused_unread(store: FolderStore) -> None:
    async def body() -> AsyncIterator[bytes]:
        read.append(True)
        yield b""

    read: list[bool] = []
    with pytest.raises(FileTooLargeError):
        await receive_file(body(), "multipart/form-data; boundary=x", 10**9, store, 10_000, lambda fields: None)
    assert not read


def test_what_a_killed_process_left_half_written_goes_after_a_day(store: FolderStore, tmp_path: Path) -> None:
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
