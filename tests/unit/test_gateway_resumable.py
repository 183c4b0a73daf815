"""Uploads in pieces: what of them stays, whose turn it is, and what is left when they end."""

import asyncio
import base64
import fcntl
import hashlib
import os
import resource
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from services.common import clock
from services.gateway.errors import (
    BadRequestError,
    ChecksumError,
    ConflictError,
    FileTooLargeError,
    GatewayError,
    LockedError,
    NotFoundError,
    StorageFullError,
)
from services.gateway.uploads.receive import WRITE_BYTES
from services.gateway.uploads.resumable import LIFETIME, Checksum, Resumable, ResumableUploads
from services.gateway.uploads.store import FolderStore

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.fixture
def uploads(store: FolderStore) -> ResumableUploads:
    return ResumableUploads(store)


async def announced(uploads: ResumableUploads, length: int = len(CONTENT)) -> Resumable:
    return await uploads.create("me", length, "filename ZGF5LmNzdg==", "day.csv", "UTC")


async def pieces(content: bytes, *, size: int = 60_000, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
    if then:
        raise then


async def hanging(content: bytes, reached: asyncio.Event) -> AsyncIterator[bytes]:
    """A connection of which nobody knows that it is dead."""
    yield content
    reached.set()
    await asyncio.Event().wait()


async def offset_of(uploads: ResumableUploads, upload: Resumable) -> int:
    return (await uploads.state(upload))[0]


def part(store: FolderStore, upload: Resumable) -> Path:
    return store.spool / "resumable" / upload.tus_id


async def test_pieces_become_the_file_in_the_store(uploads: ResumableUploads, store: FolderStore) -> None:
    upload = await announced(uploads)
    for start, end in ((0, 1), (1, 3_000_000), (3_000_000, len(CONTENT))):
        assert await offset_of(uploads, upload) == start
        await uploads.receive(upload, start, pieces(CONTENT[start:end]), None)
    completed, file = await uploads.complete(upload)
    assert (file.sha256, file.size, file.file_name) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "day.csv")
    assert store.path(file.sha256).read_bytes() == CONTENT
    assert not part(store, upload).exists()
    assert await offset_of(uploads, completed) == len(CONTENT)
    assert (await uploads.complete(completed))[1] == file


async def test_another_process_goes_on_where_the_last_one_was(uploads: ResumableUploads, store: FolderStore) -> None:
    upload = await announced(uploads)
    await uploads.receive(upload, 0, pieces(CONTENT[:100_000]), None)
    again = ResumableUploads(store)
    async with again.turn(uuid.UUID(upload.tus_id), "me", take_over=False) as found:
        assert found == upload
        assert await offset_of(again, found) == 100_000


async def test_a_file_that_was_hashed_but_not_moved_yet_is_moved_the_next_time(
    uploads: ResumableUploads, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await announced(uploads, 3)
    await uploads.receive(upload, 0, pieces(b"abc"), None)
    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "take", lambda *_: (_ for _ in ()).throw(OSError("away")))
        with pytest.raises(OSError, match="away"):
            await uploads.complete(upload)
    async with uploads.turn(uuid.UUID(upload.tus_id), "me", take_over=False) as found:
        assert await offset_of(uploads, found) == 3
        _, file = await uploads.complete(found)
    assert store.path(file.sha256).read_bytes() == b"abc"


async def test_what_came_of_a_body_that_breaks_off_stays(uploads: ResumableUploads, store: FolderStore) -> None:
    upload = await announced(uploads)
    with pytest.raises(ClientDisconnect):
        await uploads.receive(upload, 0, pieces(CONTENT[:2_500_000], then=ClientDisconnect()), None)
    assert part(store, upload).read_bytes() == CONTENT[:2_500_000]


@pytest.mark.parametrize("offset", [0, 99, 101])
async def test_bytes_for_another_offset_are_not_taken(uploads: ResumableUploads, offset: int) -> None:
    upload = await announced(uploads)
    await uploads.receive(upload, 0, pieces(CONTENT[:100]), None)
    with pytest.raises(ConflictError):
        await uploads.receive(upload, offset, pieces(b"x"), None)
    assert await offset_of(uploads, upload) == 100


async def test_more_bytes_than_announced_are_not_taken(uploads: ResumableUploads) -> None:
    upload = await announced(uploads, 100_000)
    with pytest.raises(FileTooLargeError):
        await uploads.receive(upload, 0, pieces(CONTENT[:100_001]), None)
    assert await offset_of(uploads, upload) <= 100_000


async def test_a_request_keeps_off_while_another_adds(uploads: ResumableUploads) -> None:
    upload = await announced(uploads)
    tus_id = uuid.UUID(upload.tus_id)
    async with uploads.turn(tus_id, "me", take_over=False):
        with pytest.raises(LockedError):
            async with uploads.turn(tus_id, "me", take_over=False):
                pass


async def test_a_sender_who_is_back_ends_his_dead_connection_and_finds_all_it_brought(
    uploads: ResumableUploads,
) -> None:
    upload = await announced(uploads)
    tus_id = uuid.UUID(upload.tus_id)
    reached = asyncio.Event()

    async def dead() -> None:
        async with uploads.turn(tus_id, "me", take_over=False) as found:
            await uploads.receive(found, 0, hanging(CONTENT[: WRITE_BYTES + 7], reached), None)

    connection = asyncio.create_task(dead())
    await reached.wait()
    async with uploads.turn(tus_id, "me", take_over=True) as found:
        assert await offset_of(uploads, found) == WRITE_BYTES + 7
    with pytest.raises(ConflictError):
        await connection


async def test_a_request_that_is_cancelled_leaves_what_it_brought(uploads: ResumableUploads) -> None:
    upload = await announced(uploads)
    reached = asyncio.Event()
    request = asyncio.create_task(uploads.receive(upload, 0, hanging(CONTENT[:1_000], reached), None))
    await reached.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert await offset_of(uploads, upload) == 1_000


async def test_another_gateway_at_the_same_upload_keeps_this_one_off(
    uploads: ResumableUploads, store: FolderStore
) -> None:
    upload = await announced(uploads)
    with part(store, upload).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedError):
            await uploads.receive(upload, 0, pieces(b"x"), None)
    await uploads.receive(upload, 0, pieces(b"x"), None)


async def test_nobody_finds_the_upload_of_another(uploads: ResumableUploads) -> None:
    upload = await announced(uploads)
    for tus_id, owner in ((uuid.UUID(upload.tus_id), "you"), (uuid.uuid4(), "me")):
        with pytest.raises(NotFoundError):
            async with uploads.turn(tus_id, owner, take_over=True):
                pass


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_bytes_that_are_not_those_of_their_checksum_are_dropped(
    uploads: ResumableUploads, store: FolderStore, algorithm: str
) -> None:
    upload = await announced(uploads)
    await uploads.receive(upload, 0, pieces(CONTENT[:10]), None)
    sound = CONTENT[10:2_000_000]
    header = f"{algorithm} {base64.b64encode(hashlib.new(algorithm, sound).digest()).decode()}"
    for body, error in (
        (pieces(sound[:-1] + b"?"), ChecksumError),
        (pieces(sound[:-1]), ChecksumError),
        (pieces(sound[:1_500_000], then=ClientDisconnect()), ClientDisconnect),
    ):
        with pytest.raises(error):
            await uploads.receive(upload, 10, body, Checksum(header))
        assert part(store, upload).read_bytes() == CONTENT[:10]
    await uploads.receive(upload, 10, pieces(sound), Checksum(header))
    assert part(store, upload).read_bytes() == CONTENT[:2_000_000]


def test_a_checksum_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BadRequestError):
        Checksum("crc32 AAAA")


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """A file of this process can grow to so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_an_upload_goes_on_where_the_disk_was_full(uploads: ResumableUploads, store: FolderStore) -> None:
    upload = await announced(uploads)
    await uploads.receive(upload, 0, pieces(CONTENT[:100]), None)
    with room_for(WRITE_BYTES + WRITE_BYTES // 2), pytest.raises(StorageFullError):
        await uploads.receive(upload, 100, pieces(CONTENT[100:]), None)
    at = await offset_of(uploads, upload)
    assert WRITE_BYTES < at < WRITE_BYTES + WRITE_BYTES // 2
    assert part(store, upload).read_bytes() == CONTENT[:at]
    await uploads.receive(upload, at, pieces(CONTENT[at:]), None)
    assert part(store, upload).read_bytes() == CONTENT


async def test_a_file_for_which_there_is_no_room_is_refused_before_it_comes(uploads: ResumableUploads) -> None:
    with pytest.raises(GatewayError, match="no room") as refused:
        await announced(uploads, 1 << 60)
    assert refused.value.status == 507


async def test_an_abandoned_upload_expires_and_leaves_nothing(uploads: ResumableUploads, store: FolderStore) -> None:
    abandoned, alive = await announced(uploads), await announced(uploads)
    for path in (store.spool / "resumable").glob(f"{abandoned.tus_id}*"):
        before = (clock.now() - LIFETIME - timedelta(seconds=1)).timestamp()
        os.utime(path, (before, before))
    uploads.remove_expired(clock.now())
    left = {path.name for path in (store.spool / "resumable").iterdir()}
    assert left == {alive.tus_id, f"{alive.tus_id}.json"}


async def test_a_removed_upload_leaves_nothing(uploads: ResumableUploads, store: FolderStore) -> None:
    upload = await announced(uploads)
    await uploads.remove(upload)
    assert list((store.spool / "resumable").iterdir()) == []
