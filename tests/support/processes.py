"""Services as child processes of a test, each ended by its own handle."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from deploy.local.layout import ROOT
from tests.support.waiting import wait_until

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ServiceProcesses:
    """Starts ``python -m services.<name>`` with an environment; leaving the context ends whatever still runs."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = environment
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._running):
            self.stop(name)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.environment[f'DWELL_{name.upper()}_PORT']}"

    async def start(self, *names: str) -> None:
        """Start the services together and return when each one's /readyz says 200."""
        for name in names:
            self.spawn(name, "-m", f"services.{name}")
        for name in names:
            await self.ready(name)

    def spawn(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **self.environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    async def ready(self, name: str) -> None:
        process = self._running[name]

        async def answers() -> bool:
            assert process.poll() is None, f"{name} ended with {process.returncode}:\n{self._last_lines(name)}"
            try:
                return (await client.get(f"{self.address(name)}/readyz")).is_success
            except httpx.TransportError:
                return False

        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            try:
                await wait_until(answers, START_SECONDS)
            except AssertionError as error:
                raise AssertionError(f"{name} is not ready: {error}\n{self._last_lines(name)}") from error

    def stop(self, name: str) -> None:
        """Ask the process to end, and kill it when it does not."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """As a crash would: no warning, no clean-up."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def wait(self, name: str, timeout: float) -> int:
        """The exit code of a process that ends by itself."""
        return self._running.pop(name).wait(timeout)

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _last_lines(self, name: str) -> str:
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-20:])
