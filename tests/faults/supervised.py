"""Services under a stand-in for supervisord: whatever ends unasked is started again, and counted."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from deploy.local.layout import ROOT
from deploy.local.ports import free_ports
from deploy.local.services import CELERY
from tests.support.waiting import wait_until

POLL_SECONDS = 0.1
START_SECONDS = 90.0
STOP_SECONDS = 20.0

MODULES = {"worker": ("celery", *CELERY)}
"""Of programs that are no package of services."""


class Supervised:
    """Processes by name. ``processor`` and ``processor-2`` are two of one service, each with its own port and identity.

    Leaving the context ends them all.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.restarts: Counter[str] = Counter()
        self.peak_bytes: dict[str, int] = {}
        self._environment = environment
        self._logs = logs
        self._own: dict[str, dict[str, str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        for process in self._running.values():
            process.terminate()
        for name in list(self._running):
            self.stop(name)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._own[name][_port(name)]}"

    async def start(self, *names: str, **changed: str) -> None:
        """Start the processes, with variables of their own, and return when each one's /readyz says 200."""
        for name in names:
            self._own.setdefault(name, {"DWELL_INSTANCE_ID": name, _port(name): str(free_ports(1)[0])}).update(changed)
            self._spawn(name)
        for name in names:
            await self.ready(name)

    async def ready(self, name: str) -> None:
        if name in MODULES:
            return

        async def answers() -> bool:
            try:
                return (await client.get(f"{self.address(name)}/readyz")).is_success
            except httpx.TransportError:
                return False

        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            try:
                await wait_until(answers, START_SECONDS)
            except AssertionError as error:
                lines = self.log(name).read_text(errors="replace").splitlines()[-20:]
                raise AssertionError("\n".join([f"{name} is not ready: {error}", *lines])) from error

    def stop(self, name: str) -> None:
        """Ask the process to end, kill it when it does not, and leave it ended."""
        process = self._running.pop(name)
        self._note_peak(name, process)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """As a crash would: no warning, no clean-up. It is started again."""
        self.signal(name, signal.SIGKILL)

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    async def killed_at(self, name: str, failpoint: str) -> None:
        """Restart the process so that it kills itself at the failpoint, and return when it has done so."""
        armed = self._spawn(name, DWELL_FAILPOINT=failpoint)

        async def has_ended() -> bool:
            return armed.poll() is not None

        await wait_until(has_ended, START_SECONDS)
        assert armed.returncode == -signal.SIGKILL, f"{name} ended with {armed.returncode} and not at {failpoint}"

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, name: str, **changed: str) -> subprocess.Popen[bytes]:
        if (former := self._running.pop(name, None)) is not None:
            former.kill()
            former.wait()
            self.restarts[name] += 1
        module = MODULES.get(name, (f"services.{_service(name)}",))
        with self.log(name).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env={**os.environ, **self._environment, **self._own[name], **changed},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._running[name] = process
        return process

    async def _watch(self) -> None:
        while True:
            for name, process in list(self._running.items()):
                if process.poll() is None:
                    self._note_peak(name, process)
                else:
                    self._spawn(name)
            await asyncio.sleep(POLL_SECONDS)

    def _note_peak(self, name: str, process: subprocess.Popen[bytes]) -> None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_bytes[name] = max(self.peak_bytes.get(name, 0), int(line.split()[1]) * 1024)


def _service(name: str) -> str:
    return name.partition("-")[0]


def _port(name: str) -> str:
    return f"DWELL_{_service(name).upper()}_PORT"
