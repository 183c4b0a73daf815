"""Occupancy: how many sessions there are at a time, and what each minute comes to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

from services.common.events.sessions import OccupancyMinute
from services.insights.domain.slots import Slots
from services.insights.domain.spans import MINUTE, SLOT, Span, instant


@dataclass(frozen=True, slots=True)
class Level:
    """As many sessions from `start` until `end` (microseconds), the end not included."""

    start: int
    end: int
    count: int


@dataclass(slots=True)
class _Minute:
    busy: int = 0
    peak: int = 0
    entries: int = 0
    exits: int = 0


def sweep(spans: Iterable[Span], start: int, end: int) -> list[Level]:
    """The levels that ``[start, end)`` consists of, in order and without gaps.

    A session counts at `t` where ``started_at <= t < ended_at``: at one instant ends come before starts, and a session
    of zero length never counts.
    """
    steps: dict[int, int] = {start: 0}
    for span in spans:
        first, last = max(span.started_at, start), min(span.ended_at, end)
        if first < last:
            steps[first] = steps.get(first, 0) + 1
            steps[last] = steps.get(last, 0) - 1
    steps.setdefault(end, 0)
    instants = sorted(steps)
    levels = []
    count = 0
    for at, until in pairwise(instants):
        count += steps[at]
        levels.append(Level(at, until, count))
    return levels


def changed_minutes(slots: Slots, camera_id: str, revision: int) -> list[OccupancyMinute]:
    """The minutes that differ from what they were before the step, empty ones included."""
    changed = []
    for slot in slots.changed():
        before = _minutes(slots.was(slot).values(), slot)
        after = _minutes(slots.spans(slot).values(), slot)
        changed += [
            _event(camera_id, slot * SLOT + number * MINUTE, minute, revision)
            for number, minute in enumerate(after)
            if minute != before[number]
        ]
    return changed


def _minutes(copies: Collection[Span], slot: int) -> list[_Minute]:
    """The minutes of a slot, from the slot's own copies of sessions."""
    spans = [span for span in copies if span.active]
    slot_start = slot * SLOT
    slot_end = slot_start + SLOT
    minutes = [_Minute() for _ in range(SLOT // MINUTE)]
    for span in spans:
        if slot_start <= span.started_at < slot_end:
            minutes[(span.started_at - slot_start) // MINUTE].entries += 1
        if slot_start <= span.ended_at < slot_end:
            minutes[(span.ended_at - slot_start) // MINUTE].exits += 1
    for level in sweep(spans, slot_start, slot_end):
        if level.count:
            for number in range((level.start - slot_start) // MINUTE, (level.end - 1 - slot_start) // MINUTE + 1):
                minute_start = slot_start + number * MINUTE
                overlap = min(level.end, minute_start + MINUTE) - max(level.start, minute_start)
                minutes[number].busy += overlap * level.count
                minutes[number].peak = max(minutes[number].peak, level.count)
    return minutes


def _event(camera_id: str, start: int, minute: _Minute, revision: int) -> OccupancyMinute:
    return OccupancyMinute(
        camera_id=camera_id,
        minute=instant(start),
        occupancy_avg=minute.busy / MINUTE,
        occupancy_peak=minute.peak,
        entries=minute.entries,
        exits=minute.exits,
        revision=revision,
    )
