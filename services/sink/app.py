"""What the sink is made of, opened in order and closed in reverse."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cache

import asyncpg
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from services.common.health import Check, health_app
from services.common.kafka.producer import EventProducer
from services.common.kafka.watchdog import Watchdog
from services.common.patience import not_connected, patiently
from services.common.postgres import create_pool, postgres_check
from services.common.runner import serve
from services.sink.consumer import CONSUMED_TOPICS, GROUP, Consumer
from services.sink.settings import SinkSettings
from services.sink.telling import Teller
from services.sink.writer import Writer

PLANNING = {"plan_cache_mode": "force_custom_plan", "jit": "off"}
"""A plan made while the tables were small would be kept while they grow; and no statement here is worth compiling."""


class Sink:
    """Serves health from the first moment on, and waits for its servers as long as it takes."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        # Asked for every session that is looked at.
        self._gap = cache(lambda camera_id: timedelta(seconds=settings.gap_seconds(camera_id)))
        self._checks: dict[str, Check] = dict.fromkeys(("postgres", "kafka", "writing", "telling"), not_connected)
        self.app: FastAPI = health_app(self._checks)

    async def serve_health(self) -> None:
        await serve(self.app, self._settings.host, self._settings.sink_port)

    async def run(self) -> None:
        settings = self._settings
        async with AsyncExitStack() as stack:
            pool = await patiently(
                "PostgreSQL",
                lambda: create_pool(settings.postgres_dsn, GROUP, max_size=4, **PLANNING),
                (OSError, TimeoutError, asyncpg.PostgresError),
                settings.sink_retry_seconds,
            )
            stack.push_async_callback(pool.close)
            self._checks["postgres"] = postgres_check(pool)
            producer = await patiently("Kafka", self._producer, (OSError, KafkaError), settings.sink_retry_seconds)
            stack.push_async_exit(producer)
            teller = Teller(pool, producer, settings.sink_retry_seconds)
            self._checks["telling"] = teller.check
            consumer = Consumer(settings, Writer(pool, self._gap), teller.tell)
            self._checks["writing"] = consumer.check
            watchdog = Watchdog(
                settings, GROUP, CONSUMED_TOPICS, own=consumer.partitions_to_read, activity=consumer.activity.of
            )
            self._checks["kafka"] = watchdog.check
            async with asyncio.TaskGroup() as parts:
                parts.create_task(consumer.run())
                parts.create_task(teller.run())
                parts.create_task(watchdog.run())

    async def _producer(self) -> EventProducer:
        return await EventProducer(self._settings.kafka_bootstrap, GROUP).__aenter__()
