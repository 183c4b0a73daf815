"""Waiting for a server that is not there yet, aloud and as long as it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.common.health import Health
from services.common.logging import get_logger

log = get_logger(__name__)

T = TypeVar("T")


async def patiently(
    server: str, connect: Callable[[], Awaitable[T]], errors: tuple[type[Exception], ...], pause_seconds: float
) -> T:
    """The first success of `connect`; `errors` are those that say the server is away."""
    while True:
        try:
            return await connect()
        except errors as error:
            log.error(
                "cannot connect, will try again",
                server=server,
                reason=str(error) or type(error).__name__,
                pause_seconds=pause_seconds,
            )
            await asyncio.sleep(pause_seconds)


async def not_connected() -> Health:
    """The check of a server that is still waited for."""
    return Health(ok=False, detail={"error": "not connected yet"})
