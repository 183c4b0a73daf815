"""The machine and the versions that a figure belongs to."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from deploy.local.layout import POM
from services.common import clock
from tests.support.servers import Servers


async def describe(servers: Servers) -> str:
    """In one line."""
    connection = await asyncpg.connect(servers.postgres)
    postgres = str(await connection.fetchval("SHOW server_version")).split()[0]
    await connection.close()
    async with Redis.from_url(servers.redis) as redis:
        redis_version = (await redis.info("server"))["redis_version"]
    return ", ".join(
        [
            f"{clock.now():%Y-%m-%d}",
            f"{os.cpu_count()} cores of {_processor()}",
            f"{_memory_gib():.0f} GiB",
            f"load {os.getloadavg()[0]:.1f} at the start",
            f"Kafka {_kafka()}",
            f"PostgreSQL {postgres}",
            f"Redis {redis_version}",
            f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in ("faust-streaming", "aiokafka")),
        ]
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _kafka() -> str:
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([^<]+)", POM.read_text())
    return found[1] if found else "of the pom"
