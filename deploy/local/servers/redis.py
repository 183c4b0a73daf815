"""Redis from the system's package."""

from pathlib import Path

from redis.asyncio import Redis as RedisClient

from deploy.local.programs import Program

# Redis holds a queue that refills and a cache: it may lose both, and must not grow with them.
MAX_MEMORY = "128mb"


class Redis:
    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self._directory = home / "redis"
        self._config = self._directory / "redis.conf"

    def render(self) -> str:
        """Redis's configuration, one directive a line."""
        directives = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "daemonize": "no",
            "dir": _quoted(str(self._directory)),
            "save": "60 1",
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": "volatile-lru",
            "loglevel": "warning",
        }
        return "".join(f"{name} {value}\n" for name, value in directives.items())

    def prepare(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(self.render(), encoding="utf-8")

    def program(self) -> Program:
        return Program("redis", ("redis-server", str(self._config)))

    async def answers(self) -> None:
        await redis_answers(f"redis://127.0.0.1:{self.port}/0")


async def redis_answers(url: str) -> None:
    async with RedisClient.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
        await client.ping()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
