"""The gateway: everything the browser talks to, but for live alerts."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypedDict, TypeVar

import asyncpg
from aiokafka.errors import KafkaError
from fastapi import FastAPI
from redis.exceptions import RedisError

from services.common.auth import load_token_secret
from services.common.health import Health, health_router
from services.common.kafka.lag import LagProbe
from services.common.kafka.producer import EventProducer, PublishError
from services.common.logging import get_logger
from services.common.postgres import create_pool, postgres_check
from services.common.redis import create_redis
from services.common.topics import TOPICS
from services.gateway.auth import ensure_admin
from services.gateway.dependencies import Resources
from services.gateway.errors import PROBLEM_RESPONSES, install_error_handlers
from services.gateway.frontend import Frontend
from services.gateway.middleware import RequestContext
from services.gateway.routers import alerts, analytics, auth, catalog, insights, quarantine, sessions, uploads
from services.gateway.rules import RuleBook
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.queue import QueueFeeder, create_queue

log = get_logger(__name__)

T = TypeVar("T")

MAX_JSON_BYTES = 1_000_000
MAX_EXPORTS = 4
"""At once; each holds a database connection for as long as its reader takes."""
MAX_CONNECTIONS = 16

START_PAUSE_SECONDS = 1.0
SINK_GROUP = "dwell-sink"
ROUTERS = (auth, uploads, analytics, sessions, insights, alerts, quarantine, catalog)


class State(TypedDict):
    resources: Resources


def create_app(settings: GatewaySettings) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            resources = await _open(settings, stack)
            checks.update(_checks(resources))
            yield State(resources=resources)

    checks: dict[str, Callable[[], Awaitable[Health]]] = {}
    app = FastAPI(
        title="Dwellstream",
        version="1.0.0",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=MAX_JSON_BYTES,
    )
    app.add_middleware(RequestContext, settings=settings)
    install_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1", responses=PROBLEM_RESPONSES)
    app.include_router(health_router(checks))
    if settings.frontend_dist.is_dir():
        app.mount("/", Frontend(settings.frontend_dist))
    return app


async def _open(settings: GatewaySettings, stack: AsyncExitStack) -> Resources:
    """Open in the order of need; the stack closes in reverse."""
    secret = load_token_secret(settings)
    patience = _Patience(settings.start_timeout_seconds)

    db = await patience.until("PostgreSQL", lambda: create_pool(settings.postgres_dsn, "gateway", MAX_CONNECTIONS))
    stack.push_async_callback(db.close)
    await patience.until("the tables", lambda: ensure_admin(db, settings.admin_email, settings.admin_password))

    redis = create_redis(settings.redis_url, "gateway")
    stack.push_async_callback(redis.aclose)

    async def start_producer() -> EventProducer:
        timeout_ms = round(settings.publish_timeout_seconds * 1_000)
        return await EventProducer(settings.kafka_bootstrap, "gateway", timeout_ms=timeout_ms).__aenter__()

    async def start_lag_probe() -> LagProbe:
        return await LagProbe(settings.kafka_bootstrap, SINK_GROUP, sunk, settings.lag_limit).__aenter__()

    sunk = [spec.topic for spec in TOPICS if "sink" in spec.consumers]
    producer = await patience.until("Kafka", start_producer)
    stack.push_async_exit(producer)
    sink_lag = await patience.until("Kafka", start_lag_probe)
    stack.push_async_exit(sink_lag)

    rules = RuleBook(db, producer)
    await patience.until("the topics", lambda: rules.publish_defaults(settings.kafka_bootstrap))

    feeder = QueueFeeder(db, redis, create_queue(settings))
    feeding = asyncio.create_task(feeder.run())
    stack.push_async_callback(_cancel, feeding)
    return Resources(
        settings=settings,
        token_secret=secret,
        db=db,
        producer=producer,
        redis=redis,
        feeder=feeder,
        rules=rules,
        sink_lag=sink_lag,
        exports=asyncio.Semaphore(MAX_EXPORTS),
    )


class _Patience:
    """Waits for servers that start at the same time as this one, and says for which."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    async def until(self, what: str, open_it: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await open_it()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError, PublishError) as error:
                if time.monotonic() > self._until:
                    raise RuntimeError(f"{what} did not answer in time: {error}") from error
                log.warning("waiting", what=what, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(START_PAUSE_SECONDS)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _checks(resources: Resources) -> dict[str, Callable[[], Awaitable[Health]]]:
    async def redis_check() -> Health:
        """Without Redis large files wait and logins are not limited; nothing else misses it."""
        try:
            await resources.redis.ping()
        except (RedisError, OSError) as error:
            return Health(ok=True, detail={"degraded": f"{type(error).__name__}: {error}"})
        return Health(ok=True, detail={})

    return {"postgres": postgres_check(resources.db), "kafka": resources.producer.check, "redis": redis_check}
