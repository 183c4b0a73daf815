"""What the sink is made of, opened in order and closed in reverse."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import asyncpg
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from services.common.health import Check, Health, health_app
from services.common.kafka.lag import LagProbe
from services.common.logging import get_logger
from services.common.postgres import create_pool, postgres_check
from services.common.runner import serve
from services.sink.consumer import CONSUMED_TOPICS, GROUP, Consumer
from services.sink.settings import SinkSettings
from services.sink.writer import Writer

log = get_logger(__name__)

T = TypeVar("T")


class Sink:
    """Serves health from the first moment on, and waits for its servers as long as it takes."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._checks: dict[str, Check] = dict.fromkeys(("postgres", "kafka", "writing"), _waiting)
        self.app: FastAPI = health_app(self._checks)

    async def serve_health(self) -> None:
        await serve(self.app, self._settings.host, self._settings.sink_port)

    async def run(self) -> None:
        settings = self._settings
        async with AsyncExitStack() as stack:
            pool = await self._patiently("PostgreSQL", lambda: create_pool(settings.postgres_dsn, GROUP, max_size=4))
            stack.push_async_callback(pool.close)
            self._checks["postgres"] = postgres_check(pool)
            probe = LagProbe(settings.kafka_bootstrap, GROUP, CONSUMED_TOPICS, settings.lag_limit)
            await self._patiently("Kafka", probe.__aenter__)
            stack.push_async_exit(probe)
            self._checks["kafka"] = probe.check
            consumer = Consumer(settings, Writer(pool))
            self._checks["writing"] = consumer.check
            await consumer.run()

    async def _patiently(self, server: str, connect: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await connect()
            except (OSError, TimeoutError, asyncpg.PostgresError, KafkaError) as error:
                log.error("cannot connect, will try again", server=server, reason=str(error))
                await asyncio.sleep(self._settings.sink_retry_seconds)


async def _waiting() -> Health:
    return Health(ok=False, detail={"error": "not connected yet"})
