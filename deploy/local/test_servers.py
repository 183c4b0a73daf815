"""Kafka, PostgreSQL and Redis for tests: child processes of the test run, on their own ports and data."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Self

from deploy.local.errors import LocalError
from deploy.local.layout import ROOT
from deploy.local.ports import free_ports
from deploy.local.programs import Program
from deploy.local.servers import Server, local_servers
from deploy.local.servers.postgres import DATABASE, PASSWORD, ROLE
from deploy.local.waiting import wait_until

START_SECONDS = 60

NAMES = ("kafka", "postgres", "redis")


class LocalServers:
    """The three servers under `home`, from `start` to `stop`; also a context manager.

    Ports that are not given are taken from the free ones. `stop` kills what does not end in time; the data stay.
    """

    def __init__(
        self,
        home: Path,
        *,
        kafka_port: int | None = None,
        postgres_port: int | None = None,
        redis_port: int | None = None,
    ) -> None:
        free = free_ports(3)
        self.home = home.absolute()
        self.kafka_port = kafka_port or free[0]
        self.postgres_port = postgres_port or free[1]
        self.redis_port = redis_port or free[2]
        self._servers: list[Server] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def postgres(self) -> str:
        return f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{self.postgres_port}/{DATABASE}"

    @property
    def redis(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/0"

    def start(self) -> Self:
        """Start all and return when each has answered a real request."""
        self._servers = local_servers(
            self.home, kafka_port=self.kafka_port, postgres_port=self.postgres_port, redis_port=self.redis_port
        )
        try:
            for server in self._servers:
                server.prepare()
                self._start(server.program())
            asyncio.run(self._wait())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for name, child in self._children.items():
            child.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        for name, child in self._children.items():
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                logging.warning("%s did not stop and is killed", name)
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self._children.clear()

    def end(self, name: str, number: signal.Signals) -> None:
        """Send one server a signal that it ends of, and wait for that."""
        child = self._children.pop(name)
        child.send_signal(number)
        child.wait()

    def process_id(self, name: str) -> int:
        return self._children[name].pid

    def has_ended(self, name: str) -> bool:
        return name not in self._children or self._children[name].poll() is not None

    async def start_again(self, name: str) -> None:
        """Start one server that has ended, on its data, and return when it has answered a real request."""
        [server] = [each for each in self._servers if each.program().name == name]
        self._start(server.program())
        await self._answers(server)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, program: Program) -> None:
        if shutil.which(program.command[0]) is None:
            raise LocalError(f"{program.command[0]} is not installed: run `make test`, which installs what is missing")
        log = self.home / "log" / f"{program.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._children[program.name] = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/" if program.user else ROOT,
                user=program.user,
                group=program.user,
                extra_groups=[] if program.user else None,
                start_new_session=True,
            )

    async def _wait(self) -> None:
        for server in self._servers:
            await self._answers(server)

    async def _answers(self, server: Server) -> None:
        name = server.program().name
        check = partial(self._check, name)
        await wait_until(name, server.answers, timeout_seconds=START_SECONDS, still_alive=check)

    def _check(self, name: str) -> None:
        if (code := self._children[name].poll()) is not None:
            raise LocalError(f"{name} ended with {code}: see {self.home / 'log' / name}.log")
