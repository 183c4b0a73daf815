"""The gateway: everything the browser talks to, but for live alerts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.auth import load_token_secret
from services.common.health import Check, Health, health_router
from services.common.kafka.groups import SINK
from services.common.kafka.lag import LagProbe
from services.common.kafka.producer import EventProducer
from services.common.patience import not_connected, patiently
from services.common.postgres import create_pool, postgres_check
from services.common.redis import create_redis
from services.common.topics import TOPICS
from services.gateway.auth import ensure_admin
from services.gateway.dependencies import Resources
from services.gateway.errors import PROBLEM_RESPONSES, install_error_handlers
from services.gateway.frontend import Frontend
from services.gateway.middleware import RequestContext, TusMethodOverride
from services.gateway.routers import (
    alerts,
    analytics,
    auth,
    catalog,
    insights,
    preview,
    quarantine,
    sessions,
    sources,
    tus,
    uploads,
)
from services.gateway.rules import RuleBook
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.following import Announcer, Listener
from services.gateway.uploads.queue import QueueFeeder, create_queue
from services.gateway.uploads.resumable import ResumableUploads
from services.gateway.uploads.retention import keep_tidy
from services.gateway.uploads.settling import Settler
from services.gateway.uploads.store import RawStore, open_store

ROUTERS = (auth, uploads, preview, tus, analytics, sessions, insights, alerts, quarantine, sources, catalog)

MAX_JSON_BYTES = 1_000_000
MAX_CONNECTIONS = 16
MAX_EXPORTS = 4
"""At once; each holds a database connection for as long as its reader takes."""

MAX_INLINE_UPLOADS = 4
"""At once; each holds a database connection and keeps a core busy."""

RETRY_SECONDS = 2.0


def create_app(settings: GatewaySettings) -> FastAPI:
    """Answers from the first moment on: with 503 until its servers are there."""
    checks: dict[str, Check] = dict.fromkeys(("postgres", "kafka"), not_connected)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        secret = load_token_secret(settings)
        store = open_store(settings)
        connected = asyncio.create_task(_stay_connected(app, settings, secret, store, checks))
        try:
            yield
        finally:
            connected.cancel()
            with suppress(asyncio.CancelledError):
                await connected

    app = FastAPI(
        title="Dwellstream",
        version="1.0.0",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=MAX_JSON_BYTES,
    )
    # The dashboard's JavaScript is 450 KB, packed 150 KB; level 6 packs nearly as well as 9 in half the time.
    app.add_middleware(GZipMiddleware, compresslevel=6)
    app.add_middleware(RequestContext, settings=settings)
    app.add_middleware(TusMethodOverride)
    install_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1", responses=PROBLEM_RESPONSES)
    app.include_router(health_router(checks))
    if settings.frontend_dist.is_dir():
        app.router.default = Frontend(settings.frontend_dist)
    return app


async def _stay_connected(
    app: FastAPI, settings: GatewaySettings, secret: str, store: RawStore, checks: dict[str, Check]
) -> None:
    """Open everything in the order of need, then look after uploads and raw store; when cancelled, close in reverse."""
    away = (Exception,)
    async with AsyncExitStack() as stack:
        db = await patiently(
            "PostgreSQL", lambda: create_pool(settings.postgres_dsn, "gateway", MAX_CONNECTIONS), away, RETRY_SECONDS
        )
        stack.push_async_callback(db.close)
        await patiently(
            "the tables",
            lambda: ensure_admin(db, settings.admin_email, settings.admin_password),
            away,
            RETRY_SECONDS,
        )
        checks["postgres"] = postgres_check(db)

        redis = create_redis(settings.redis_url, "gateway")
        stack.push_async_callback(redis.aclose)
        checks["redis"] = _redis_check(redis)

        timeout_ms = round(settings.publish_timeout_seconds * 1_000)
        producer = EventProducer(settings.kafka_bootstrap, "gateway", timeout_ms=timeout_ms)
        await patiently("Kafka", producer.__aenter__, away, RETRY_SECONDS)
        stack.push_async_exit(producer)
        sunk = [spec.topic for spec in TOPICS if "sink" in spec.consumers]
        sink_lag = LagProbe(settings.kafka_bootstrap, SINK, sunk, settings.lag_limit)
        await patiently("Kafka", sink_lag.__aenter__, away, RETRY_SECONDS)
        stack.push_async_exit(sink_lag)
        rules = RuleBook(db, producer)
        await patiently("the topics", lambda: rules.publish_defaults(settings.kafka_bootstrap), away, RETRY_SECONDS)
        checks["kafka"] = producer.check

        resumable = ResumableUploads(store)
        feeder = QueueFeeder(db, redis, create_queue(settings))
        announcer = Announcer(redis)
        listener = Listener(redis)
        settler = Settler(db, settings.kafka_bootstrap, announcer.tell)
        app.state.resources = Resources(
            settings=settings,
            token_secret=secret,
            db=db,
            store=store,
            resumable=resumable,
            producer=producer,
            redis=redis,
            feeder=feeder,
            settler=settler,
            announcer=announcer,
            listener=listener,
            rules=rules,
            sink_lag=sink_lag,
            exports=asyncio.Semaphore(MAX_EXPORTS),
            inline_uploads=asyncio.Semaphore(MAX_INLINE_UPLOADS),
        )
        tidying = keep_tidy(db, store, resumable, settings.raw_store_retention_days)
        await asyncio.gather(feeder.run(), settler.run(), listener.run(), tidying)


def _redis_check(redis: Redis) -> Check:
    async def check() -> Health:
        """Without Redis large files wait and logins are not limited; nothing else misses it."""
        try:
            await redis.ping()
        except (RedisError, OSError) as error:
            return Health(ok=True, detail={"degraded": f"{type(error).__name__}: {error}"})
        return Health(ok=True, detail={})

    return check
