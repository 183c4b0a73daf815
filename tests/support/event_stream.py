"""A reader of server-sent events for tests, written from the format's own description: plain, and whole texts only."""

import json
import re
from typing import Any

import httpx
import msgspec


def events_in(text: str) -> list[Any]:
    """The JSON values of all complete events; one that is a text holds JSON again, as the vendor may send it."""
    found = []
    data: list[str] = []
    for line in re.split(r"\r\n|\r|\n", text)[:-1]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif line == "" and data:
            value = json.loads("\n".join(data))
            found.append(json.loads(value) if isinstance(value, str) else value)
            data = []
    return found


class Listener:
    """What one connection heard."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = response.aiter_raw()
        self.bytes = b""
        self.pieces = 0

    async def hear(self, count: int) -> list[Any]:
        """Everything so far, once that is as many events. Raises `httpx.RemoteProtocolError` when broken off."""
        while len(events := events_in(self.bytes.decode(errors="replace"))) < count:
            self.bytes += await anext(self._pieces)
            self.pieces += 1
        return events

    async def hear_to_the_end(self) -> list[Any]:
        async for piece in self._pieces:
            self.bytes += piece
        return events_in(self.bytes.decode())


def raws(events: list[Any]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(event)) for event in events]
