"""Follow the logs of all programs as one stream, each line with its program's name."""

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import BinaryIO

from deploy.local.errors import LocalError

FIRST_LINES = 10
POLL_SECONDS = 0.3


class Followed:
    """One log file, across its rotations: supervisord renames it and begins another under the same name."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self._inode = path.stat().st_ino
        self._rest = b""

    def first_lines(self, count: int) -> list[str]:
        """The last lines written so far; `new_lines` goes on from there."""
        return self.new_lines()[-count:]

    def new_lines(self) -> list[str]:
        lines = self._read()
        if self._was_replaced():
            self._file.close()
            self._file = self._path.open("rb")
            self._inode = self._path.stat().st_ino
            lines += self._read()
        return lines

    def _read(self) -> list[str]:
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _was_replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:  # between the rename and the new file
            return False
        return now.st_ino != self._inode or now.st_size < self._file.tell()


def follow(folder: Path, service: str | None) -> Iterator[str]:
    """Lines for ever, of one service or of all; a log that appears later is taken up too."""
    known: dict[Path, Followed] = {}
    pattern = f"{service}.log" if service else "*.log"
    if not any(folder.glob(pattern)):
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log")))
        raise LocalError(
            f"there is no log of {service or 'anything'} in {folder}" + (f", only of {names}" if names else "")
        )
    first = True
    while True:
        for path in sorted(folder.glob(pattern)):
            if path not in known:
                known[path] = Followed(path)
                lines = known[path].first_lines(FIRST_LINES) if first else known[path].new_lines()
            else:
                lines = known[path].new_lines()
            for line in lines:
                yield f"{known[path].name:<10} | {line}"
        first = False
        sleep(POLL_SECONDS)
