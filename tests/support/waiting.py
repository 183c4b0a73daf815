"""Waiting for something to become true, in place of sleeping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

INTERVAL_SECONDS = 0.1


async def wait_until(condition: Callable[[], Awaitable[T]], timeout: float = 30.0) -> T:  # noqa: ASYNC109
    """Ask again and again until the answer is true, and return it; AssertionError with the last answer otherwise."""
    deadline = monotonic() + timeout
    while True:
        if found := await condition():
            return found
        if monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {timeout:g} s: {_shown(condition)}")
        await asyncio.sleep(INTERVAL_SECONDS)


def _shown(condition: object) -> str:
    return inspect.getsource(condition).strip() if inspect.isroutine(condition) else repr(condition)
