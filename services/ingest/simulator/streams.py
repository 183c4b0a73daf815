"""Open streams of server-sent events: each has what is still to be said to its client, and the faults strike here."""

import asyncio
from collections import deque
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.ingest.simulator.faults import Faults

MAX_WAITING = 20_000
"""Events that a client may be behind; then the vendor ends its stream."""

MAX_AT_ONCE = 500
SILENT_POLL_SECONDS = 0.02


class Stream:
    """Ends by being closed, or by the client's being too far behind."""

    def __init__(self) -> None:
        self.ends = False
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()

    def put(self, events: Iterable[bytes]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.clear()
            self.end()
        self._news.set()

    def end(self) -> None:
        self.ends = True
        self._news.set()

    async def take(self) -> list[bytes]:
        """What is to be said next; nothing when the stream has ended."""
        while not self._waiting and not self.ends:
            self._news.clear()
            await self._news.wait()
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_AT_ONCE))]


class Streams:
    """All that are open."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> Stream:
        stream = Stream()
        if self._is_closed:
            stream.end()
        self._open.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        self._open.discard(stream)

    def put(self, events: list[bytes]) -> None:
        for stream in self._open:
            stream.put(events)

    def close(self) -> None:
        self._is_closed = True
        self.end()

    def end(self) -> None:
        """Those that are open now; others may be opened."""
        for stream in self._open:
            stream.end()


class StreamResponse(Response):
    """What is said from now on, until the client leaves or a fault strikes."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, faults: Faults) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._streams = streams
        self._faults = faults
        self._said = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._streams.open()
        watching = asyncio.ensure_future(_watch(receive, stream))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while events := await stream.take():
                if not await self._say(events, stream, send):
                    # An answer that is not completed: the server breaks the connection.
                    return
            await send({"type": "http.response.body"})
        finally:
            watching.cancel()
            self._streams.leave(stream)

    async def _say(self, events: list[bytes], stream: Stream, send: Send) -> bool:
        """False when the stream has to break off."""
        while self._faults.silence and not stream.ends:  # noqa: ASYNC110 - faults are plain fields, set by anybody
            await asyncio.sleep(SILENT_POLL_SECONDS)
        whole, broken = self._until_break(events)
        await self._send(b"".join(whole), send)
        if broken is None:
            return True
        await self._send(broken[: len(broken) // 2], send)
        return False

    def _until_break(self, events: list[bytes]) -> tuple[list[bytes], bytes | None]:
        if self._faults.drops:
            self._faults.drops -= 1
            return [], events[0]
        every = self._faults.drop_every
        if every and self._said + len(events) >= every:
            whole = max(every - self._said - 1, 0)
            return events[:whole], events[whole]
        self._said += len(events)
        return events, None

    async def _send(self, data: bytes, send: Send) -> None:
        size = self._faults.piece_bytes or len(data) or 1
        for start in range(0, len(data), size):
            await send({"type": "http.response.body", "body": data[start : start + size], "more_body": True})
            if self._faults.piece_bytes or self._faults.slow_seconds:
                await asyncio.sleep(self._faults.slow_seconds)


async def _watch(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()
