"""Connections to what a test has empty: its database, and Kafka's topics."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from services.common.kafka.producer import EventProducer
from services.common.postgres import create_pool
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with await create_pool(database, "test") as opened:
        yield opened


@pytest_asyncio.fixture
async def producer(servers: Servers, topics: None) -> AsyncIterator[EventProducer]:
    async with EventProducer(servers.kafka, "test", linger_ms=5) as opened:
        yield opened
