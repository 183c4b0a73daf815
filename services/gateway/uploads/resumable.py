"""Uploads that come in pieces, over connections that break: what has come so far, and who may add to it.

The bytes' number is the offset. It outlives the process, and nothing else that could disagree with it is kept.
"""

import asyncio
import base64
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

import msgspec

from services.gateway.errors import (
    BadRequestError,
    ChecksumError,
    ConflictError,
    FileTooLargeError,
    LockedError,
    NotFoundError,
    StorageFullError,
)
from services.gateway.uploads.receive import WRITE_BYTES, ReceivedFile
from services.gateway.uploads.store import RawStore, room_on_disk

LIFETIME = timedelta(hours=24)
"""Of an upload to which nothing is added."""

CHECKSUMS = ("sha1", "sha256")

_INFO = ".json"
_DRAFT = ".new"

P = ParamSpec("P")
T = TypeVar("T")


class Resumable(msgspec.Struct, frozen=True):
    """What a sender announced, and what became of it once every byte was there."""

    tus_id: str
    owner: str
    length: int
    metadata: str
    file_name: str
    timezone: str
    sha256: str | None = None
    """Known from the last byte on; then the file goes to the raw store."""
    upload_id: str | None = None
    """Of the upload that was accepted."""
    duplicate: bool = False
    """The same bytes came before: that upload is the first."""


class Checksum:
    """``<algorithm> <digest in base64>`` of the bytes of one request."""

    def __init__(self, header: str) -> None:
        algorithm, _, digest = header.partition(" ")
        if algorithm not in CHECKSUMS:
            raise BadRequestError(f"A checksum is one of {', '.join(CHECKSUMS)}.")
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._digest = digest.strip()

    def add(self, data: bytes) -> None:
        self._hash.update(data)

    @property
    def holds(self) -> bool:
        return base64.b64encode(self._hash.digest()).decode() == self._digest


class ResumableUploads:
    """``<id>``: the bytes so far; ``<id>.json``: the `Resumable`."""

    def __init__(self, store: RawStore) -> None:
        self._store = store
        self._folder = store.spool / "resumable"
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._receiving: dict[str, asyncio.Task[None]] = {}

    async def create(self, owner: str, length: int, metadata: str, file_name: str, timezone: str) -> Resumable:
        upload = Resumable(str(uuid.uuid4()), owner, length, metadata, file_name, timezone)
        await asyncio.to_thread(self._create, upload)
        return upload

    @asynccontextmanager
    async def turn(self, tus_id: uuid.UUID, owner: str, *, take_over: bool) -> AsyncIterator[Resumable]:
        """The upload, for one request at a time. Raises `NotFoundError` for another owner's too.

        A sender who comes again may be faster than the news that his last connection is dead: with `take_over` the
        request that still waits for bytes of it is ended, without it the upload is `LockedError`.
        """
        key = str(tus_id)
        await asyncio.to_thread(self._read, key, owner)
        lock = self._turns.setdefault(key, asyncio.Lock())
        if lock.locked() and not take_over:
            raise LockedError("Another request adds to this upload.")
        if receiving := self._receiving.get(key):
            receiving.cancel()
        async with lock:
            yield await asyncio.to_thread(self._read, key, owner)

    async def state(self, upload: Resumable) -> tuple[int, datetime]:
        """How many bytes are here, and when the upload expires."""
        return await asyncio.to_thread(lambda: (self._offset(upload), self._last_change(upload.tus_id) + LIFETIME))

    async def receive(
        self, upload: Resumable, offset: int, body: AsyncIterator[bytes], checksum: Checksum | None
    ) -> None:
        """Add the body at this offset. What came of a body that breaks off stays, unless a checksum was to hold.

        Raises `ConflictError` for another offset and where a newer request took over, `FileTooLargeError` for more
        than was announced, `ChecksumError`, and `StorageFullError`.
        """
        if offset != (found := await asyncio.to_thread(self._offset, upload)):
            raise ConflictError(f"The upload is at byte {found:,}, not {offset:,}.")
        if offset == upload.length:
            return
        receiving = asyncio.create_task(self._receive(upload, offset, body, checksum))
        self._receiving[upload.tus_id] = receiving
        try:
            await asyncio.wait({receiving})
        finally:
            del self._receiving[upload.tus_id]
            if not receiving.done():
                receiving.cancel()
                await asyncio.wait({receiving})
        if receiving.cancelled():
            raise ConflictError("A newer request took this upload over.")
        receiving.result()

    async def _receive(
        self, upload: Resumable, offset: int, body: AsyncIterator[bytes], checksum: Checksum | None
    ) -> None:
        part = await _to_the_end(_Part, self._part(upload), offset)
        pending = bytearray()
        doubted_from = offset if checksum else None
        try:
            async for data in body:
                offset += len(data)
                if offset > upload.length:
                    raise FileTooLargeError(f"The upload was announced with {upload.length:,} bytes.")
                if checksum:
                    checksum.add(data)
                pending += data
                if len(pending) >= WRITE_BYTES:
                    await _to_the_end(part.write, _taken(pending))
            if checksum and not checksum.holds:
                raise ChecksumError("These bytes are not those of the checksum; send them again.")
            doubted_from = None
        finally:
            await _to_the_end(part.close, _taken(pending), doubted_from)

    async def complete(self, upload: Resumable) -> tuple[Resumable, ReceivedFile]:
        """The file in the raw store; again the same where it came to that before."""
        if upload.sha256 is None:
            sha256 = await _to_the_end(_hash, self._part(upload))
            upload = await self._change(msgspec.structs.replace(upload, sha256=sha256))
        await _to_the_end(self._move, upload)
        assert upload.sha256 is not None
        return upload, ReceivedFile(upload.sha256, upload.length, upload.file_name, {})

    async def accepted(self, upload: Resumable, upload_id: str, duplicate: bool) -> Resumable:
        return await self._change(msgspec.structs.replace(upload, upload_id=upload_id, duplicate=duplicate))

    async def remove(self, upload: Resumable) -> None:
        await _to_the_end(self._remove, upload.tus_id)

    def remove_expired(self, now: datetime) -> None:
        for tus_id in {path.stem for path in self._folder.glob("*")}:
            if self._last_change(tus_id) + LIFETIME < now:
                self._remove(tus_id)

    def _create(self, upload: Resumable) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < upload.length:
            raise StorageFullError(f"The disk for uploaded files has no room for {upload.length:,} bytes.")
        with room_on_disk():
            self._part(upload).touch()
            self._write_info(upload)

    def _read(self, tus_id: str, owner: str) -> Resumable:
        try:
            upload = msgspec.json.decode(self._info(tus_id).read_bytes(), type=Resumable)
        except FileNotFoundError:
            upload = None
        if upload is None or upload.owner != owner:
            raise NotFoundError("There is no such upload, or it has expired.")
        return upload

    async def _change(self, upload: Resumable) -> Resumable:
        await _to_the_end(self._write_info, upload)
        return upload

    def _write_info(self, upload: Resumable) -> None:
        info = self._info(upload.tus_id)
        draft = info.with_suffix(_DRAFT)
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(upload))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(info)

    def _move(self, upload: Resumable) -> None:
        part = self._part(upload)
        if part.exists():
            assert upload.sha256 is not None
            with room_on_disk():
                self._store.take(part, upload.sha256)

    def _remove(self, tus_id: str) -> None:
        for path in self._files(tus_id):
            path.unlink(missing_ok=True)

    def _offset(self, upload: Resumable) -> int:
        return upload.length if upload.sha256 else self._part(upload).stat().st_size

    def _part(self, upload: Resumable) -> Path:
        return self._folder / upload.tus_id

    def _info(self, tus_id: str) -> Path:
        return self._folder / f"{tus_id}{_INFO}"

    def _files(self, tus_id: str) -> list[Path]:
        return [path for end in ("", _INFO, _DRAFT) if (path := self._folder / f"{tus_id}{end}").exists()]

    def _last_change(self, tus_id: str) -> datetime:
        return datetime.fromtimestamp(max((path.stat().st_mtime for path in self._files(tus_id)), default=0.0), UTC)


class _Part:
    """The file that a request adds to, for it alone; what could not be written whole is not there at all."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("r+b", buffering=0)
        self._size = size
        try:
            # Another gateway may still be at it, on its way out.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise LockedError("Another gateway adds to this upload.") from None
        if self._file.seek(0, os.SEEK_END) != size:
            self._file.close()
            raise ConflictError("Another gateway has added to this upload.")

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            with room_on_disk():
                while left:
                    left = left[self._file.write(left) :]
        except BaseException:
            self._file.truncate(self._size)
            raise
        self._size += len(data)

    def close(self, last: bytes, doubted_from: int | None) -> None:
        """On disk for good: all with these last bytes or, where some are in doubt, what came before them."""
        with self._file:
            if doubted_from is None:
                self.write(last)
            else:
                self._file.truncate(doubted_from)
            with room_on_disk():
                os.fsync(self._file.fileno())


def _taken(pending: bytearray) -> bytes:
    taken = bytes(pending)
    pending.clear()
    return taken


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _to_the_end(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a thread, and end no sooner than it: whoever is cancelled must not leave it at work on a file."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        work.exception()
        raise asyncio.CancelledError
    return work.result()
