"""Start, ask and stop the stack's supervisord."""

import os
import signal
import subprocess
import xmlrpc.client
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.errors import LocalError
from deploy.local.processes import POLL_SECONDS, STACK_VARIABLE, end, members, wait_for_end
from deploy.local.programs import Program, python
from deploy.local.supervisor_config import log_path, pid_path, render, socket_path

ANSWER_SECONDS = 15.0

# The longest a program may take to stop is 20 s; servers stop after services.
SHUTDOWN_SECONDS = 60.0

LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class ProgramState:
    name: str
    group: str
    state: str
    pid: int
    up_seconds: int

    @property
    def is_up(self) -> bool:
        return self.state in {"STARTING", "RUNNING"}


class Supervisor:
    """supervisord of one home. Everything but `start` needs it running."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = socket_path(home)
        self._pids: dict[str, int] = {}
        self._log_starts: dict[str, int] = {}

    @property
    def is_running(self) -> bool:
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def start(self, groups: Mapping[str, Sequence[Program]], environment: Mapping[str, str]) -> None:
        """Start supervisord with nothing running under it; it stays when this process ends."""
        (self._home / "log").mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._socket.parent.stat().st_uid != os.getuid():
            raise LocalError(f"{self._socket.parent} belongs to somebody else: remove it or choose another DWELL_HOME")
        config = self._home / "supervisor.conf"
        config.write_text(render(self._home, groups), encoding="utf-8")
        started = subprocess.run(
            python("-m", "supervisor.supervisord", "--configuration", str(config)),
            env={**os.environ, **environment, STACK_VARIABLE: str(self._home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        deadline = monotonic() + ANSWER_SECONDS
        while started.returncode == 0 and monotonic() < deadline:
            if self.is_running:
                return
            sleep(POLL_SECONDS)
        said = (started.stderr or started.stdout).strip() or self.last_lines("supervisor")
        raise LocalError(f"supervisord did not start:\n{said}")

    def start_programs(self, names: Sequence[str]) -> list[str]:
        """Start those that do not run, wait for none, and return their names."""
        states = self.states()
        started = []
        for name in names:
            state = states.get(name)
            if state is None:
                raise LocalError(f"the running stack knows no {name}: run `make down` and start again")
            if not state.is_up:
                self._log_starts[name] = _size(log_path(self._home, name))
                self._call("startProcess", f"{state.group}:{name}", False)
                started.append(name)
            self._pids.pop(name, None)
        return started

    def states(self) -> dict[str, ProgramState]:
        return {
            info["name"]: ProgramState(
                name=info["name"],
                group=info["group"],
                state=info["statename"],
                pid=info["pid"],
                up_seconds=info["now"] - info["start"] if info["pid"] else 0,
            )
            for info in self._call("getAllProcessInfo")
        }

    def require_alive(self, name: str) -> None:
        """Raise with the program's last words when it died, also when it has been started again since."""
        state = self.states()[name]
        if state.is_up and self._pids.setdefault(name, state.pid) == state.pid:
            return
        raise LocalError(
            f"{name} died on starting; its last lines, of {log_path(self._home, name)}:\n{self.last_lines(name)}"
        )

    def last_lines(self, name: str) -> str:
        """What the program said last, since it was started."""
        try:
            written = log_path(self._home, name).read_bytes()[self._log_starts.get(name, 0) :]
        except FileNotFoundError:
            written = b""
        lines = written.decode(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"  {line}" for line in lines or ["(nothing)"])

    def shut_down(self) -> bool:
        """Stop everything and return when no process is left; False when there was none to stop."""
        pid = self._pid()
        if self.is_running:
            self._call("shutdown")
        elif pid is not None:
            os.kill(pid, signal.SIGTERM)
        if pid is not None:
            wait_for_end({pid}, SHUTDOWN_SECONDS)
        # Children outlive a supervisord that was killed.
        left = members(self._home)
        end(left, timeout_seconds=10)
        for path in (pid_path(self._home), self._socket):
            path.unlink(missing_ok=True)
        if self._socket.parent != self._home:
            with suppress(OSError):
                self._socket.parent.rmdir()
        return pid is not None or bool(left)

    def _pid(self) -> int | None:
        """Of this home's supervisord, where it lives."""
        try:
            pid = int(pid_path(self._home).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return pid if pid in members(self._home) else None

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
