"""Posts events to the webhook at little cost: a full HTTP client would take a core from what is measured."""

import asyncio
from typing import Self
from urllib.parse import urlsplit

from tests.support.environment import WEBHOOK_HEADER, WEBHOOK_SECRET

CONNECTIONS = 8

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WebhookClient:
    """Keeps some connections open; a request waits for a free one."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self._free: asyncio.Queue[Connection] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        host, port = self._host.split(":")
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncio.open_connection(host, int(port)))
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._free.empty():
            self._free.get_nowait()[1].close()

    async def post(self, body: bytes) -> None:
        """Returns when the webhook has answered 202; RuntimeError for another answer."""
        head = (
            f"POST /webhooks/corsight HTTP/1.1\r\nHost: {self._host}\r\n{WEBHOOK_HEADER}: {WEBHOOK_SECRET}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = connection = await self._free.get()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = answer.partition("content-length:")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
        self._free.put_nowait(connection)
        if " 202 " not in answer.partition("\r\n")[0]:
            raise RuntimeError(answer)
