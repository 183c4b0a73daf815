"""Waiting until something really answers."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import httpx

from deploy.local.errors import LocalError

INTERVAL_SECONDS = 0.2


async def wait_until(
    what: str,
    probe: Callable[[], Awaitable[None]],
    *,
    timeout_seconds: float,
    still_alive: Callable[[], None] = lambda: None,
) -> None:
    """Repeat `probe` until it no longer raises. `still_alive` raises `LocalError` when waiting has become pointless."""
    deadline = monotonic() + timeout_seconds
    while True:
        try:
            await asyncio.wait_for(probe(), 10)
        except Exception as error:  # any failure means: not yet
            still_alive()
            if monotonic() > deadline:
                reason = f"{type(error).__name__}: {error}".rstrip(": ")
                raise LocalError(f"{what} did not answer within {timeout_seconds:.0f} s ({reason})") from error
        else:
            return
        await asyncio.sleep(INTERVAL_SECONDS)


async def http_answers(url: str) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        response = await client.get(url)
    if response.status_code != httpx.codes.OK:
        raise LocalError(f"{url} answers {response.status_code}: {response.text[:300]}")
