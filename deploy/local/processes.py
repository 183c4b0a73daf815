"""Processes of a stack as the system sees them, for what its supervisor no longer knows or does not tell."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

STACK_VARIABLE = "DWELL_STACK"
"""In the environment of every process of a stack: the stack's home."""

POLL_SECONDS = 0.1


def is_alive(pid: int) -> bool:
    """A zombie is not: it waits only for its parent to take note."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return _answers_signals(pid)
    return state != "Z"


def wait_for_end(pids: set[int], timeout_seconds: float) -> set[int]:
    """The processes that still live after the wait."""
    deadline = monotonic() + timeout_seconds
    while (alive := {pid for pid in pids if is_alive(pid)}) and monotonic() < deadline:
        sleep(POLL_SECONDS)
    return alive


def members(home: Path) -> set[int]:
    """Processes that were started for the stack of this home."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if _belongs(process, home) and is_alive(int(process.name)):
                found.add(int(process.name))
    return found - {os.getpid()}


def _belongs(process: Path, home: Path) -> bool:
    if f"{STACK_VARIABLE}={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
        return True
    # Redis writes its title over its environment; its data folder is where it works.
    name = (process / "comm").read_text(encoding="utf-8").strip()
    return name == "redis-server" and (process / "cwd").resolve().is_relative_to(home.resolve())


def end(pids: set[int], timeout_seconds: float) -> None:
    """Ask first, then kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        pids = wait_for_end(pids, timeout_seconds)


def resident_bytes(pid: int) -> int:
    """Memory of the process and of its descendants. Pages that they share count once in each."""
    return sum(_resident(each) for each in _family(pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from _family(int(child))


def _resident(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _answers_signals(pid: int) -> bool:
    """For systems without /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
