"""The whole stack of one home: servers, topics, tables and services, under one supervisor."""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from deploy.local.errors import LocalError
from deploy.local.layout import ROOT
from deploy.local.ports import holder, is_free
from deploy.local.programs import Program, python
from deploy.local.servers import Server, local_servers
from deploy.local.servers.kafka import kafka_answers
from deploy.local.servers.postgres import postgres_answers
from deploy.local.servers.redis import redis_answers
from deploy.local.services import feed_program, service_programs
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import LAST_LINES, ProgramState, Supervisor
from deploy.local.supervisor_config import log_path
from deploy.local.waiting import http_answers, wait_until

SERVERS_SECONDS = 60.0
SERVICES_SECONDS = 90.0

Say = Callable[[str], None]
Probe = Callable[[], Awaitable[None]]


class Stack:
    """``up`` is repeatable: it starts what does not run and returns when everything answers. ``down`` stops all.

    `environment` is handed to every process on top of the settings and of one's own environment.
    """

    def __init__(
        self, settings: LocalSettings, environment: Mapping[str, str] | None = None, say: Say = lambda _: None
    ) -> None:
        self.settings = settings
        self._environment = {**(environment or {}), **settings.environment()}
        self._say = say
        self._supervisor = Supervisor(settings.home)
        self._servers: list[Server] = local_servers(
            settings.home,
            kafka_port=None if settings.kafka else settings.kafka_port,
            postgres_port=None if settings.postgres else settings.postgres_port,
            redis_port=None if settings.redis else settings.redis_port,
        )
        self._services = service_programs(settings)
        self._feed = feed_program(settings)

    @property
    def is_running(self) -> bool:
        return self._supervisor.is_running

    def up(self) -> None:
        with self._one_at_a_time():
            starting = not self.is_running
            if starting:
                self._require_free_ports()
            try:
                if starting:
                    self._start_supervisor()
                self._start_servers()
                # Before the connector, which asks it for its history at once.
                fed = self._start([self._feed]) if self.settings.simulator else []
                self._make_topics_and_tables()
                self._start_services([self._feed] if fed else [])
            except BaseException:
                # Half a stack would only hold the ports; its logs stay.
                if starting:
                    self._supervisor.shut_down()
                raise

    def down(self) -> bool:
        """False when nothing ran."""
        with self._one_at_a_time():
            return self._supervisor.shut_down()

    def states(self) -> list[ProgramState]:
        return list(self._supervisor.states().values())

    def _start_supervisor(self) -> None:
        for server in self._servers:
            server.prepare()
        groups = {
            "servers": [server.program() for server in self._servers],
            "services": self._services,
            "feed": [self._feed],
        }
        self._supervisor.start({name: group for name, group in groups.items() if group}, self._environment)

    def _start_servers(self) -> None:
        probes = self._existing_servers()
        probes |= {server.program().name: server.answers for server in self._servers}
        self._start(server.program() for server in self._servers)
        asyncio.run(self._wait(probes, SERVERS_SECONDS))

    def _start_services(self, started: Iterable[Program]) -> None:
        self._start(self._services)
        programs = [*self._services, *started]
        asyncio.run(self._wait({each.name: self._readiness(each) for each in programs}, SERVICES_SECONDS))

    def _start(self, programs: Iterable[Program]) -> list[str]:
        """The names of those that did not run."""
        if started := self._supervisor.start_programs([program.name for program in programs]):
            self._say(f"starting {', '.join(started)}")
        return started

    def _existing_servers(self) -> dict[str, Probe]:
        """Of the servers that are somebody else's: how to tell that they answer."""
        settings = self.settings
        found: dict[str, Probe] = {}
        if settings.kafka:
            found["Kafka, named by DWELL_KAFKA,"] = partial(kafka_answers, settings.kafka_bootstrap)
        if settings.postgres:
            found["PostgreSQL, named by DWELL_POSTGRES,"] = partial(postgres_answers, settings.postgres_dsn)
        if settings.redis:
            found["Redis, named by DWELL_REDIS,"] = partial(redis_answers, settings.redis_url)
        return found

    def _readiness(self, program: Program) -> Probe:
        if program.ready_url:
            return partial(http_answers, program.ready_url)
        return partial(self._runs, program.name)

    async def _runs(self, name: str) -> None:
        """Ready as far as can be told of a program without an address: it has lived for a while."""
        state = self._supervisor.states()[name].state
        if state != "RUNNING":
            raise LocalError(f"{name} is {state}")

    async def _wait(self, probes: Mapping[str, Probe], timeout_seconds: float) -> None:
        kept = self._supervisor.states()
        await _all(
            wait_until(
                name,
                probe,
                timeout_seconds=timeout_seconds,
                still_alive=partial(self._supervisor.require_alive, name) if name in kept else lambda: None,
            )
            for name, probe in probes.items()
        )

    def _make_topics_and_tables(self) -> None:
        self._say("making topics and tables")
        jobs = (
            self._run_job("the topic job", "services.common.kafka.admin"),
            self._run_job("the migration", "services.sink", "migrate"),
        )
        asyncio.run(_all(jobs))

    async def _run_job(self, what: str, *module: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *python("-m", *module),
            env={**os.environ, **self._environment},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        with log_path(self.settings.home, "jobs").open("ab") as log:
            log.write(said)
        if process.returncode:
            lines = "\n".join(f"  {line}" for line in said.decode(errors="replace").splitlines()[-LAST_LINES:])
            raise LocalError(f"{what} failed:\n{lines}")

    def _require_free_ports(self) -> None:
        settings: dict[int, str] = {}
        for port, setting in self.settings.ports():
            if port in settings:
                raise LocalError(f"{setting} and {settings[port]} are both port {port}: change one")
            settings[port] = setting
            if not is_free(port):
                by = holder(port)
                raise LocalError(
                    f"port {port} is in use{f' by {by}' if by else ''}: stop that, or set {setting} to a free port"
                )

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with (self.settings.home / "stack.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError(f"another command is at work on {self.settings.home}: wait for it to end") from None
            yield


async def _all(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all at once; raise only what failed first, which is usually why the others failed."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
