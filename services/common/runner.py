"""One runner for everything long-running: all parts start together, and the first failure or signal stops all."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop

from services.common.logging import get_logger

log = get_logger(__name__)

MAX_WEBSOCKET_MESSAGE_BYTES = 64 * 1024
"""From a client, which has little to say; a greater message closes its socket."""

Part = Callable[[], Awaitable[None]]


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the process: two owners would each stop only their half."""
        yield


async def serve(app: Any, host: str, port: int) -> None:
    """Serve an ASGI application until cancelled, then let its lifespan close."""
    server = Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            ws_max_size=MAX_WEBSOCKET_MESSAGE_BYTES,
        )
    )
    task = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await task
        raise


async def run_parts(*parts: Part) -> None:
    """Run the parts until one fails, one ends or SIGINT / SIGTERM comes; then cancel the others and wait for them.

    Raises the failure of the part that failed first. A part that merely ends stops the rest too: none is meant to end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.ensure_future(part()) for part in parts]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, stopping):
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)
    for task in done:
        if task is not stopping and not task.cancelled() and (error := task.exception()):
            raise error


def run(service: str, *parts: Part) -> None:
    """Run a service's parts to the end of the process; exit code 1 on failure, so that a supervisor restarts it."""
    try:
        uvloop.run(run_parts(*parts))
    except Exception:
        log.exception("service failed", service=service)
        sys.exit(1)
