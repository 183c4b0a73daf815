"""Where the consumer's news meets the clients; nothing here ever waits."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from prometheus_client import Counter, Gauge

from services.common.events.alerts import Alert
from services.common.events.cameras import Camera
from services.notifier.domain.cursor import Cursor, CursorError, decode_cursor
from services.notifier.domain.fanout import Entry, Filters, Outbox, RecentAlerts, encode_frame, frames_of

CLIENTS = Gauge("dwell_alert_clients", "Clients that hear alerts now")
DROPPED = Counter("dwell_alert_clients_dropped_total", "Clients that could not keep up")


class Farewell(Struct, frozen=True):
    """Why a client is sent away: `code` closes the socket; without `retry_after` (seconds) coming back is no use."""

    code: int
    reason: str
    retry_after: float | None

    @property
    def text(self) -> str:
        return encode_frame("bye", code=self.code, reason=self.reason, retry_after=self.retry_after)


SLOW = Farewell(1013, "too slow", 1.0)
RESTARTING = Farewell(1012, "restarting", 2.0)


class Standing(Struct, frozen=True):
    """Where a client stood and where it joined; `recent` lies between, None where memory does not reach so far back."""

    head: Cursor
    last: Cursor | None
    recent: list[Entry] | None


class Client:
    """One client's queue. Whoever cannot keep up is sent away and recovers with its cursor."""

    def __init__(self, filters: Filters, outbox: Outbox) -> None:
        self.filters = filters
        self.farewell: Farewell | None = None
        self._outbox = outbox
        self._wake = asyncio.Event()

    def push(self, text: str) -> None:
        if self.farewell is None and not self._outbox.offer(text):
            DROPPED.inc()
            self.farewell = SLOW
        self._wake.set()

    def send_away(self, farewell: Farewell) -> None:
        self.farewell = self.farewell or farewell
        self._wake.set()

    async def next_text(self) -> str | None:
        """What to send next; None once the client is to leave."""
        while self.farewell is None:
            if text := self._outbox.take():
                return text
            self._wake.clear()
            await self._wake.wait()
        return None


class Hub:
    """The clients, the newest alerts and how fresh the sources are.

    It opens when the consumer has caught up with the log; before that, old news would be pushed as new.
    """

    def __init__(self, max_recent: int) -> None:
        self._max_recent = max_recent
        self._clients: set[Client] = set()
        self._recent: RecentAlerts | None = None
        self._head: Cursor | None = None
        self._seen_at: dict[str, datetime] = {}
        self._heartbeat_at: datetime | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        return self._head is not None and not self._closed

    @property
    def head(self) -> Cursor:
        """What a client that heard everything has seen."""
        if self._head is None:
            raise RuntimeError("the hub is not open yet")
        return self._head

    @property
    def clients(self) -> int:
        return len(self._clients)

    def open(self, start: Cursor, past: Sequence[Entry], head: Cursor) -> None:
        """`past` holds the log's entries from `start` to `head`: to be recovered, not pushed."""
        self._recent = RecentAlerts(start, self._max_recent)
        for entry in past:
            self._recent.add(entry)
        self._head = head

    def publish(self, entries: Sequence[Entry], head: Cursor) -> None:
        """Push the news to everybody and remember it; `head` lies past it."""
        frames = list(frames_of(entries, self.head, head))
        self._head = head
        for entry in entries:
            self._recent_alerts.add(entry)
        for frame in frames:
            for client in self._clients:
                if text := frame.text_for(client.filters):
                    client.push(text)

    def learn(self, camera: Camera) -> None:
        self._heartbeat_at = max(filter(None, (self._heartbeat_at, camera.heartbeat_at)))
        if camera.last_seen_at:
            self._seen_at[camera.camera_id] = camera.last_seen_at

    def heartbeat(self, server_time: datetime) -> None:
        """So that a client notices silence: of the connection, and of the sources."""
        if not self.is_open:
            return
        text = encode_frame(
            "heartbeat",
            cursor=self.head.encode(),
            server_time=server_time,
            newest_event_time=max(self._seen_at.values(), default=None),
            source_heartbeat_at=self._heartbeat_at,
        )
        for client in self._clients:
            client.push(text)

    def join(self, client: Client, last: str | None) -> Standing:
        """From now on every frame goes to the client, and `Standing` is what it has to be told before them."""
        self._clients.add(client)
        CLIENTS.set(len(self._clients))
        if self._closed:
            client.send_away(RESTARTING)
        cursor = self._accept(last)
        return Standing(self.head, cursor, self._recent_alerts.since(cursor) if cursor else None)

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        CLIENTS.set(len(self._clients))

    def close(self) -> None:
        self._closed = True
        for client in self._clients:
            client.send_away(RESTARTING)

    def _accept(self, text: str | None) -> Cursor | None:
        """The client's cursor where it can be one of this log; None where nothing can be recovered from it."""
        if text is None:
            return None
        try:
            cursor = decode_cursor(text)
        except CursorError:
            return None
        behind = all(wanted <= at for wanted, at in zip(cursor.offsets, self.head.offsets, strict=True))
        return cursor if behind and cursor.epoch == self.head.epoch else None

    @property
    def _recent_alerts(self) -> RecentAlerts:
        if self._recent is None:
            raise RuntimeError("the hub is not open yet")
        return self._recent


def count_alerts(entries: Sequence[Entry], filters: Filters) -> int:
    alerts: list[Alert] = [alert for entry in entries for alert in entry.alerts]
    return sum(map(filters.pass_alert, alerts))
