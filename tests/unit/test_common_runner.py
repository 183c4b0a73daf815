import asyncio
import os
import signal
import subprocess
import sys

import pytest

from services.common.runner import run_parts


class Forever:
    """A part that runs until it is cancelled, and says how far it came."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.closed = False

    async def __call__(self) -> None:
        try:
            self.started.set()
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_the_first_failure_stops_all_and_is_raised() -> None:
    other = Forever()

    async def fails() -> None:
        await other.started.wait()
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError, match="lost"):
        await run_parts(other, fails)
    assert other.closed


async def test_a_part_that_ends_stops_the_others() -> None:
    other = Forever()

    async def ends() -> None:
        await other.started.wait()

    await run_parts(other, ends)
    assert other.closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_all_without_an_error(number: signal.Signals) -> None:
    parts = [Forever(), Forever()]

    async def signals() -> None:
        for part in parts:
            await part.started.wait()
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    await run_parts(*parts, signals)
    assert all(part.closed for part in parts)


def test_a_failed_service_ends_with_an_exit_code_that_a_supervisor_sees() -> None:
    code = """
from services.common.runner import run
async def fails() -> None:
    raise ConnectionError("lost")
run("test", fails)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "lost" in ended.stdout + ended.stderr
