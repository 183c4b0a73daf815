"""Kafka, PostgreSQL and Redis for a test session: containers where a Docker Engine answers, else the local parts."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from deploy.local.test_servers import LocalServers
from tests.support import containers


class Servers(msgspec.Struct, frozen=True):
    """Where the servers answer; `postgres` is a role that may create databases."""

    kafka: str
    postgres: str
    redis: str


@contextmanager
def running_servers() -> Iterator[Servers]:
    """The servers that ``DWELL_TEST_STACK`` names (`containers` or `local`), else those that can be had."""
    wanted = os.environ.get("DWELL_TEST_STACK") or ("containers" if containers.can_be_had() else "local")
    with ExitStack() as stack:
        match wanted:
            case "containers":
                yield Servers(
                    kafka=stack.enter_context(containers.kafka()),
                    postgres=stack.enter_context(containers.postgres()),
                    redis=stack.enter_context(containers.redis()),
                )
            case "local":
                home = Path(stack.enter_context(TemporaryDirectory(prefix="dwell-test-")))
                home.chmod(0o755)  # as root, PostgreSQL runs under another account
                local = stack.enter_context(LocalServers(home))
                yield Servers(kafka=local.kafka, postgres=local.postgres, redis=local.redis)
            case other:
                raise ValueError(f"DWELL_TEST_STACK is containers or local, not {other!r}")
