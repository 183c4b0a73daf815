"""The camera system: it sees the shop's life, tells of it and keeps its history."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

import msgspec

from services.ingest.simulator.faults import Faults
from services.ingest.simulator.feed import Message, Report, messages
from services.ingest.simulator.framing import framed, oddly_framed
from services.ingest.simulator.records import Records, true_appearance, true_insight
from services.ingest.simulator.shapes import Shapes
from services.ingest.simulator.shop import Crowd, Shop

Bodies = list[tuple[str, bytes]]
"""Events as sent: (event_id, JSON on one line)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What happens in the shop: all of it follows from these. What is told up to `told_until` is history at once."""

    seed: int
    begins_at: datetime
    told_until: datetime
    people_per_minute: float
    open_for: timedelta
    crops: bool


@dataclass
class Vendor:
    life: Life
    faults: Faults
    receivers: list[Callable[[Bodies], None]] = field(default_factory=list)
    records: Records = field(default_factory=Records)
    told: int = 0
    """Events sent; duplicates, and what nobody is to count, not counted."""

    def __post_init__(self) -> None:
        life = self.life
        self.shapes = Shapes(life.seed, life.begins_at, crops=life.crops)
        self._random = Random(life.seed)  # noqa: S311 - nothing here is secret
        self._asides = Random(life.seed)  # noqa: S311 - nothing here is secret
        self._insights: dict[str, Crowd] = {}
        shop = Shop(life.seed, life.begins_at, life.people_per_minute, life.open_for)
        self._messages = messages(shop.happenings(), life.begins_at, life.told_until)
        self._next = next(self._messages)
        for message in self._until(life.told_until):
            self._keep(message)

    def tell(self, count: int, until: datetime | None = None) -> int:
        """Send the next `count` events, fewer where the others are due after `until`; how many that were."""
        due = list(islice(self._until(until), count))
        bodies = []
        for message in due:
            told = self._keep(message)
            if isinstance(told, Crowd):
                self._insights[self.shapes.event_id(told)] = told
            bodies.append((self.shapes.event_id(told), msgspec.json.encode(self.shapes.event(told))))
            bodies += self._beside(told)
        self.told += len(due)
        bodies = self._disturbed(bodies)
        for receive in self.receivers:
            receive(bodies)
        return len(due)

    def frame(self, bodies: Bodies) -> list[bytes]:
        if self.faults.odd:
            return [oddly_framed(body, event_id, self._random) for event_id, body in bodies]
        return [framed(body) for _, body in bodies]

    def snapshot(self) -> Bodies:
        """The latest event of every track so far, for a receiver that cannot ask for the history."""
        latest = sorted((report for _, report in self.records.truth()), key=lambda report: report.sent_at)
        return [(self.shapes.event_id(report), msgspec.json.encode(self.shapes.event(report))) for report in latest]

    def truth(self, *, named: bool = False) -> dict[str, Any]:
        """The appearances and insights of all that was told, as one report each, by the names of the contract.

        `named` says that somebody told who the people are, as a history with names does, or an export.
        """
        return {
            "told": self.told,
            "appearances": [
                true_appearance(track_id, report, self.shapes, named=named) for track_id, report in self.records.truth()
            ],
            "insights": [true_insight(insight_id, crowd) for insight_id, crowd in self._insights.items()],
        }

    def _until(self, until: datetime | None) -> Iterator[Message]:
        while until is None or self._next.sent_at <= until:
            message = self._next
            self._next = next(self._messages)
            yield message

    def _keep(self, message: Message) -> Message:
        """The message as the vendor's clock tells it; its clock may have jumped."""
        shift = timedelta(seconds=self.faults.clock_jump_seconds)
        if isinstance(message, Report):
            track_id = self.shapes.appearance_id(message.sighting.number)
            known = self.records.get(track_id)
            started_at = known.started_at if known else message.started_at + shift
            if shift or started_at != message.started_at:
                seen_at, sent_at = message.seen_at + shift, message.sent_at + shift
                message = replace(message, started_at=started_at, seen_at=seen_at, sent_at=sent_at)
            self.records.keep(track_id, message)
        elif shift:
            at = "started_at" if isinstance(message, Crowd) else "sent_at"
            message = replace(message, **{at: getattr(message, at) + shift})
        return message

    def _beside(self, message: Message) -> Bodies:
        """What no truth knows: nobody who walks through the shop is told of by it."""
        events = []
        if self.faults.recorded and isinstance(message, Report) and self._asides.random() < self.faults.recorded:
            events.append(self.shapes.recorded_event(message))
        if self.faults.unknown_types and self._asides.random() < self.faults.unknown_types:
            events.append(self.shapes.unknown_event(message))
        return [(event["event_id"], msgspec.json.encode(event)) for event in events]

    def _disturbed(self, bodies: Bodies) -> Bodies:
        if self.faults.duplicate:
            bodies = [
                each for body in bodies for each in (body, body)[: 1 + (self._random.random() < self.faults.duplicate)]
            ]
        if size := self.faults.reorder:
            windows = [bodies[start : start + size] for start in range(0, len(bodies), size)]
            bodies = [body for window in windows for body in self._random.sample(window, len(window))]
        return bodies
