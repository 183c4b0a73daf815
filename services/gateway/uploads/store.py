"""Raw files as they were uploaded, each under the hash of its bytes: in a folder or in a bucket."""

import errno
import hashlib
import io
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from services.common.logging import get_logger
from services.gateway.errors import StorageFullError, UnavailableError
from services.gateway.settings import GatewaySettings

log = get_logger(__name__)

ABANDONED_SECONDS = 24 * 3_600
"""An incoming file that nobody has written to for so long is what a killed process left."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_BUCKET_SCHEME = "s3://"

_PART_BYTES = 8 << 20
"""Of a file sent to a bucket, four at once; a bucket takes 10,000 parts, so up to 80 GB."""

_PARTS_AT_ONCE = 4

_READ_BYTES = 4 << 20
"""Fetched at a time: the first byte of an answer takes a bucket some 100 ms."""


class RawStore(ABC):
    """Complete files by their SHA-256; the name a file had at its sender's is never part of a path.

    Files on their way in gather under `spool`, a local folder even where complete ones go to a bucket.
    """

    def __init__(self, spool: Path) -> None:
        self.spool = spool
        self._incoming = spool / "incoming"

    @abstractmethod
    def open(self, sha256: str) -> BinaryIO:
        """The file, seekable. Raises `FileNotFoundError` where it is gone."""

    @abstractmethod
    def exists(self, sha256: str) -> bool: ...

    @abstractmethod
    def remove(self, sha256: str) -> None: ...

    @abstractmethod
    def take(self, path: Path, sha256: str) -> None:
        """Move a complete file of the spool to its place, for good."""

    @abstractmethod
    def older_than(self, moment: datetime) -> Iterator[str]:
        """The hashes of the files that came before that moment."""

    def incoming(self) -> "IncomingFile":
        self._incoming.mkdir(parents=True, exist_ok=True)
        return IncomingFile(self, self._incoming)

    def remove_abandoned(self, now: datetime) -> None:
        for path in self._incoming.glob("*"):
            if now.timestamp() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)


def open_store(settings: GatewaySettings) -> RawStore:
    place = settings.raw_store
    if place.startswith(_BUCKET_SCHEME):
        return BucketStore(S3Store.from_url(place), settings.home / "spool")
    return FolderStore(Path(place) if place else settings.home / "raw")


class FolderStore(RawStore):
    """``<root>/ab/abcdef…``"""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._root = root

    def path(self, sha256: str) -> Path:
        return self._root / _key(sha256)

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def exists(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def take(self, path: Path, sha256: str) -> None:
        place = self.path(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def older_than(self, moment: datetime) -> Iterator[str]:
        for path in self._root.glob("[0-9a-f][0-9a-f]/*"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment:
                yield path.name


class BucketStore(RawStore):
    """``<prefix>/ab/abcdef…`` in an S3-compatible bucket, whose address and keys the usual `AWS_` variables give."""

    def __init__(self, bucket: ObjectStore, spool: Path) -> None:
        super().__init__(spool)
        self._bucket = bucket

    def open(self, sha256: str) -> BinaryIO:
        with _reaching_the_bucket():
            file = _BucketFile(self._bucket, _key(sha256))
        return cast(BinaryIO, io.BufferedReader(file, _READ_BYTES))

    def exists(self, sha256: str) -> bool:
        with _reaching_the_bucket():
            try:
                obstore.head(self._bucket, _key(sha256))
            except FileNotFoundError:
                return False
            return True

    def remove(self, sha256: str) -> None:
        with _reaching_the_bucket(), suppress(FileNotFoundError):
            obstore.delete(self._bucket, _key(sha256))

    def take(self, path: Path, sha256: str) -> None:
        with _reaching_the_bucket():
            obstore.put(self._bucket, _key(sha256), path, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
        path.unlink()

    def older_than(self, moment: datetime) -> Iterator[str]:
        with _reaching_the_bucket():
            for found in obstore.list(self._bucket, chunk_size=1_000):
                yield from (each["path"].rsplit("/", 1)[-1] for each in found if each["last_modified"] < moment)


class _BucketFile(io.RawIOBase):
    """What `io.BufferedReader` wants of a file, by ranges of an object."""

    def __init__(self, bucket: ObjectStore, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._size = obstore.head(bucket, key)["size"]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readall(self) -> bytes:
        # The inherited one fetches 8 KB at a time.
        return self.read(max(0, self._size - self._position)) or b""

    def readinto(self, buffer: Any, /) -> int:
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        with _reaching_the_bucket():
            found = obstore.get_range(self._bucket, self._key, start=self._position, end=end)
        buffer[: len(found)] = memoryview(found)
        self._position += len(found)
        return len(found)


class IncomingFile:
    """A file on its way in; what is not kept is gone when the block ends."""

    def __init__(self, store: RawStore, folder: Path) -> None:
        self._store = store
        self._hash = hashlib.sha256()
        self._file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing writes what is still in its buffer, for which a full disk may have no room.
        with suppress(OSError):
            self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        with room_on_disk():
            self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def keep(self) -> str:
        """Move the file to its place, on disk for good, and return its SHA-256."""
        with room_on_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
            sha256 = self._hash.hexdigest()
            self._store.take(Path(self._file.name), sha256)
        return sha256


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Raises `StorageFullError` where the disk has no more."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StorageFullError("The disk for uploaded files is full; try again later.") from error


@contextmanager
def _reaching_the_bucket() -> Iterator[None]:
    """Not an `OSError`: readers take one for a file that is broken, and this is not the file's fault."""
    try:
        yield
    except BaseError as error:
        log.warning("bucket not reached", error=str(error).partition("\n")[0])
        raise UnavailableError("The store of raw files does not answer; try again.") from error


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
