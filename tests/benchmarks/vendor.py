"""``python -m tests.benchmarks.vendor PORT stream FILE TIMES`` or ``… PORT history ROWS``: a cheap Corsight.

It takes any login. Its stream is the file's bytes so many times over, as fast as they are read, and then silence; its
history is a day of rows that ended. It prints when it was first asked for either, in seconds.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from math import ceil, floor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from services.common import clock
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.feed import Report
from services.ingest.simulator.vendor import Life, Vendor

DAY_SECONDS = 86_400.0
DWELL_SECONDS = 20

_LOGIN = b'{"data":{"token":"token"},"expires_in":86400.0}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

_ID, _START, _END = "@id@", "@start@", "@end@"


def busy_shop(*, crops: bool) -> Vendor:
    """Of so many people that some thousand events take seconds."""
    now = clock.now()
    begins_at = now - timedelta(minutes=10)
    life = Life(
        seed=1,
        begins_at=begins_at,
        told_until=begins_at,
        people_per_minute=1_000,
        open_for=timedelta(minutes=15),
        crops=crops,
    )
    return Vendor(life, Faults())


def live_events(count: int) -> list[bytes]:
    """As the vendor sends them, each with its picture."""
    vendor, bodies = busy_shop(crops=True), list[bytes]()
    vendor.receivers.append(lambda sent: bodies.extend(body for _, body in sent))
    while len(bodies) < count:
        vendor.tell(1_000)
    return bodies[:count]


def _row_template() -> bytes:
    """Of a row that tells of somebody who has gone, with places for its id and its times."""
    vendor = busy_shop(crops=False)
    while not (finished := [report for _, report in vendor.records.truth() if report.is_last]):
        vendor.tell(1_000)
    row = _with_places(vendor, finished[0])
    encoded = msgspec.json.encode(row).replace(b"%", b"%%")
    for place in (_START, _END):
        encoded = encoded.replace(f'"{place}"'.encode(), f"%({place})d".encode())
    return encoded.replace(f'"{_ID}"'.encode(), f'"%({_ID})036d"'.encode())


def _with_places(vendor: Vendor, report: Report) -> dict[str, Any]:
    row = vendor.shapes.row(report, flat=False, named=False)
    row["appearance_data"] |= {"appearance_id": _ID, "utc_time_started": _START, "utc_time_ended": _END}
    row["frame_data"]["utc_time_recorded"] = row["msg_send_timestamp"] = _END
    return row


class Stream:
    def __init__(self, path: Path, times: int) -> None:
        data = path.read_bytes()
        self._pieces = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
        self._times = times

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_STREAM_HEAD)
        for _ in range(self._times):
            for piece in self._pieces:
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
        await asyncio.Event().wait()


class Day:
    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._step = DAY_SECONDS / max(rows, 1)
        self._begins_at = clock.now().timestamp() - DAY_SECONDS
        self._template = _row_template()

    def page(self, query: dict[str, list[str]], body: dict[str, Any]) -> bytes:
        if query["query_db"] == ["live_db"]:
            return b'{"data":{"matches":[]}}'
        first = max(0, ceil((body["from"] - self._begins_at) / self._step), int(body.get("after_id", -1)) + 1)
        last = min(self._rows - 1, floor((body["till"] - self._begins_at) / self._step))
        numbers = range(first, min(last + 1, first + int(query["limit"][0])))
        return b'{"data":{"matches":[' + b",".join(map(self._row, numbers)) + b"]}}"

    def _row(self, number: int) -> bytes:
        ended_at = int(self._begins_at + number * self._step)
        return self._template % {
            _ID.encode(): number,
            _START.encode(): ended_at - DWELL_SECONDS,
            _END.encode(): ended_at,
        }


class Server:
    def __init__(self, stream: Stream | None, day: Day) -> None:
        self._stream = stream
        self._day = day
        self._asked = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                body = await reader.readexactly(_length(head))
                url = urlsplit(head.split(" ")[1])
                if "events" in url.path and self._stream:
                    self._tell()
                    await self._stream.answer(writer)
                elif "history" in url.path:
                    if not self._stream:
                        self._tell()
                    page = self._day.page(parse_qs(url.query), msgspec.json.decode(body))
                    writer.write(_HEAD % (len(page), page))
                else:
                    writer.write(_HEAD % (len(_LOGIN), _LOGIN))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    def _tell(self) -> None:
        if not self._asked:
            self._asked = True
            print(time.time(), flush=True)


def _length(head: str) -> int:
    return int(next(_values(head, "content-length:"), "0"))


def _values(head: str, name: str) -> Iterator[str]:
    for line in head.lower().split("\r\n"):
        if line.startswith(name):
            yield line.removeprefix(name)


async def main(port: int, what: str, *arguments: str) -> None:
    stream = Stream(Path(arguments[0]), int(arguments[1])) if what == "stream" else None
    server = Server(stream, Day(0 if stream else int(arguments[0])))
    async with await asyncio.start_server(server.answer, "127.0.0.1", port, limit=1 << 20) as serving:
        await serving.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
