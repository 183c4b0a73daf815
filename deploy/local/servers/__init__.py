"""The real servers, each on loopback with its data under the stack's home."""

from pathlib import Path
from typing import Protocol

from deploy.local.programs import Program
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.redis import Redis


class Server(Protocol):
    """Prepared once, then run as a program until it is asked to stop."""

    def prepare(self) -> None:
        """Create the data directory and the configuration; keep what is there."""

    def program(self) -> Program: ...

    async def answers(self) -> None:
        """Return once the server has done a real request; raise whatever the attempt raised otherwise."""


__all__ = ["Kafka", "Postgres", "Redis", "Server", "local_servers"]


def local_servers(
    home: Path, *, kafka_port: int | None, postgres_port: int | None, redis_port: int | None
) -> list[Server]:
    """The servers that are to run under `home`; one whose port is None is somebody else's."""
    servers: list[Server] = []
    if kafka_port is not None:
        servers.append(Kafka(home, kafka_port))
    if postgres_port is not None:
        servers.append(Postgres(home, postgres_port))
    if redis_port is not None:
        servers.append(Redis(home, redis_port))
    return servers
