"""Who gets what: filters, frames that are encoded once, the recent past, and the bounded queue of a client."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from services.common.events.alerts import Alert
from services.notifier.domain.cursor import Cursor

FRAME_ALERTS = 100
"""A frame takes no more records once it holds so many alerts."""


class Filters(Struct, frozen=True):
    """What a client wants to hear of; an empty set means everything."""

    camera_ids: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()

    def pass_alert(self, alert: Alert) -> bool:
        return (not self.camera_ids or alert.camera_id in self.camera_ids) and (
            not self.severities or alert.severity in self.severities
        )


EVERYTHING = Filters()


class Entry(Struct, frozen=True):
    """The news of one record: its live alerts. Alerts of the past are listed, never pushed."""

    partition: int
    offset: int
    alerts: tuple[Alert, ...]


class AlertsFrame:
    """Alerts on their way to many clients, encoded once for all whose filters let the same ones pass."""

    def __init__(self, cursor: Cursor, alerts: Sequence[Alert]) -> None:
        self._cursor = cursor.encode()
        self._alerts = alerts
        self._texts: dict[Filters, str | None] = {}
        self._encoded: dict[tuple[int, ...], str] = {}

    def text_for(self, filters: Filters) -> str | None:
        """None when nothing of it is for these filters."""
        if filters not in self._texts:
            self._texts[filters] = self._encode(filters)
        return self._texts[filters]

    def _encode(self, filters: Filters) -> str | None:
        passing = tuple(number for number, alert in enumerate(self._alerts) if filters.pass_alert(alert))
        if passing and passing not in self._encoded:
            items = [self._alerts[number] for number in passing]
            self._encoded[passing] = encode_frame("alerts", cursor=self._cursor, items=items)
        return self._encoded.get(passing)


def encode_frame(kind: str, **fields: Any) -> str:
    return msgspec.json.encode({"type": kind, **fields}).decode()


def frames_of(entries: Iterable[Entry], start: Cursor, end: Cursor) -> Iterator[AlertsFrame]:
    """The entries as frames, each with the cursor of a client that saw everything up to and including it."""
    cursor, alerts = start, list[Alert]()
    waiting = deque(entries)
    while waiting:
        entry = waiting.popleft()
        cursor = cursor.after([(entry.partition, entry.offset)])
        alerts.extend(entry.alerts)
        if alerts and (len(alerts) >= FRAME_ALERTS or not waiting):
            yield AlertsFrame(cursor if waiting else end, alerts)
            alerts = []


class RecentAlerts:
    """The newest entries, for clients that come back; bounded in alerts."""

    def __init__(self, start: Cursor, max_alerts: int) -> None:
        self._held_from = start
        self._max_alerts = max_alerts
        self._entries: deque[Entry] = deque()
        self._count = 0

    def add(self, entry: Entry) -> None:
        if not entry.alerts:
            return
        self._entries.append(entry)
        self._count += len(entry.alerts)
        while self._count > self._max_alerts:
            oldest = self._entries.popleft()
            self._count -= len(oldest.alerts)
            self._held_from = self._held_from.after([(oldest.partition, oldest.offset)])

    def since(self, cursor: Cursor) -> list[Entry] | None:
        """The entries from the cursor on, oldest first; None when some of them are no longer held."""
        if any(wanted < held for wanted, held in zip(cursor.offsets, self._held_from.offsets, strict=True)):
            return None
        return [entry for entry in self._entries if entry.offset >= cursor.offsets[entry.partition]]


class Outbox:
    """What waits to be sent to one client, bounded in frames and in characters."""

    def __init__(self, max_frames: int, max_size: int) -> None:
        self._max_frames = max_frames
        self._max_size = max_size
        self._waiting: deque[str] = deque()
        self._size = 0

    def offer(self, text: str) -> bool:
        """False when it does not fit: the client cannot keep up."""
        if len(self._waiting) >= self._max_frames or (self._waiting and self._size + len(text) > self._max_size):
            return False
        self._waiting.append(text)
        self._size += len(text)
        return True

    def take(self) -> str | None:
        if not self._waiting:
            return None
        text = self._waiting.popleft()
        self._size -= len(text)
        return text
