"""Events at a steady rate, and what the waiting for them comes to."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterable, Mapping
from time import monotonic

Times = dict[str, float]
"""Wall-clock time by event, in seconds: all that is compared is of one machine."""


async def steadily(per_second: float, events: int) -> AsyncIterator[int]:
    """Numbers at their times, whether or not what they cause has ended."""
    started = monotonic()
    for number in range(events):
        await asyncio.sleep(max(0.0, started + number / per_second - monotonic()))
        yield number


def waited(since: Mapping[str, float], until: Mapping[str, float]) -> list[float]:
    """Milliseconds between the two times of each event of `since`."""
    return [(until[event] - at) * 1000 for event, at in since.items()]


def marks(name: str, milliseconds: Iterable[float]) -> dict[str, float]:
    """p50 and p99 under the name."""
    cuts = statistics.quantiles(milliseconds, n=100)
    return {f"{name} p50": cuts[49], f"{name} p99": cuts[98]}
