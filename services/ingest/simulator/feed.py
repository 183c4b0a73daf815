"""What is told of the shop's life, message by message, in the order in which the messages are sent."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ingest.simulator.shop import Crowd, Happening, Sighting

FIRST_AFTER = timedelta(seconds=2)
UPDATE_EVERY = timedelta(seconds=6)
"""The vendor sends at most one event of a track in 5 s."""

GONE_AFTER = timedelta(seconds=2)
STATUS_EVERY = timedelta(seconds=10)

FIRST, UPDATE, LAST = 0, 1, 2
"""Values of `trigger`."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one message tells of a sighting; the last one comes when the track is closed."""

    sighting: Sighting
    started_at: datetime
    seen_at: datetime
    sent_at: datetime
    trigger: int

    @property
    def is_last(self) -> bool:
        return self.trigger == LAST


@dataclass(frozen=True, slots=True)
class Status:
    """The servers tell that they run, whether or not anybody walks past."""

    sent_at: datetime


Message = Report | Crowd | Status


def messages(happenings: Iterable[Happening], begins_at: datetime, told_until: datetime) -> Iterator[Message]:
    """Everything that is sent, in order and without end.

    Of what was sent up to `told_until` only the latest report of each sighting comes, and no status.
    """
    return heapq.merge(
        _in_order(happenings, told_until), _statuses(begins_at, told_until), key=lambda message: message.sent_at
    )


def _statuses(begins_at: datetime, told_until: datetime) -> Iterator[Message]:
    at = begins_at + max((told_until - begins_at) // STATUS_EVERY, 0) * STATUS_EVERY
    while True:
        at += STATUS_EVERY
        yield Status(at)


def _in_order(happenings: Iterable[Happening], told_until: datetime) -> Iterator[Message]:
    """Nothing is sent before its arrival, so all that is due before the next arrival is complete."""
    waiting: list[tuple[datetime, int, Message, Iterator[Message]]] = []
    number = 0

    def wait_for_next(of: Iterator[Message]) -> None:
        nonlocal number
        if (message := next(of, None)) is not None:
            number += 1
            heapq.heappush(waiting, (message.sent_at, number, message, of))

    for arrives_at, happening in happenings:
        while waiting and waiting[0][0] < arrives_at:
            _, _, message, rest = heapq.heappop(waiting)
            yield message
            wait_for_next(rest)
        for each in happening:
            wait_for_next(iter([each]) if isinstance(each, Crowd) else _reports(each, told_until))


def _reports(sighting: Sighting, told_until: datetime) -> Iterator[Message]:
    closed_at = sighting.ended_at + GONE_AFTER
    last = Report(sighting, sighting.started_at, sighting.ended_at, closed_at, LAST)
    if closed_at > told_until:
        seen_at, trigger = min(sighting.started_at + FIRST_AFTER, sighting.ended_at), FIRST
        while seen_at < sighting.ended_at:
            next_at = seen_at + UPDATE_EVERY
            if (next_at if next_at < sighting.ended_at else closed_at) > told_until:
                yield Report(sighting, sighting.started_at, seen_at, seen_at, trigger)
            seen_at, trigger = next_at, UPDATE
    yield last
