"""Raw files as they were uploaded, each under the hash of its bytes."""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

ABANDONED_SECONDS = 24 * 3_600
"""An incoming file that nobody has written to for so long is what a killed process left."""


class RawStore:
    """``<root>/ab/abcdef…``; the name a file had at its sender's is never part of a path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    def incoming(self) -> "IncomingFile":
        self._incoming.mkdir(parents=True, exist_ok=True)
        return IncomingFile(self, self._incoming)

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def remove_abandoned(self, now: datetime) -> None:
        for path in self._incoming.glob("*"):
            if now.timestamp() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)


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
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def keep(self) -> str:
        """Move the file to its place, on disk for good, and return its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        sha256 = self._hash.hexdigest()
        path = self._store.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._file.name, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return sha256
