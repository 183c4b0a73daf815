"""Ports: is one free, and if not, who has it."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

_LISTEN = "0A"

# Below the range from which the system takes ports for outgoing connections: one of those could take a port between
# our finding it free and its server's start.
_CANDIDATES = range(20_000, 32_000, 2)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port in TIME_WAIT after a stop is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct ports that nobody listens on now, each with the next one free too: Kafka's controller takes that."""
    found: list[int] = []
    for port in SystemRandom().sample(_CANDIDATES, len(_CANDIDATES)):
        if len(found) == count:
            break
        if is_free(port) and is_free(port + 1):
            found.append(port)
    return found


def holder(port: int) -> str | None:
    """``name (pid)`` of the process that listens on the port, where the system lets us see it."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if inodes & _open_files(process):
            with suppress(OSError):
                return f"{(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
    return None


def _open_files(process: Path) -> set[str]:
    """What the process has open; empty when it is somebody else's or has ended."""
    found = set()
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.add(os.readlink(descriptor))
    return found


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
