"""The sessions of one camera by slots of 15 minutes.

A slot holds a copy of every session that touches it, ends included. A session keeps its id only while its earliest
appearance stays the same, and an appearance only grows. So a later version covers the instant at which an earlier one
started, and every version is found through the slots of any other.

A session that grows for hours rewrites its first slot and the last ones only: the copy in the first slot, its home, is
the latest version; copies in between say the same of their slot as the latest version would.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from services.insights.domain.levels import Ints, Levels, join, sweep
from services.insights.domain.spans import SLOT, Span

CACHED_SLOTS = 512
"""Some 40 KB each when 200 sessions touch a slot: what lies about the present of some hundred cameras."""

Spans = dict[str, Span]
"""By session id."""


class _Stored(msgspec.Struct, array_like=True):
    spans: list[Span]
    insights: list[str]


@dataclass(frozen=True, slots=True)
class Picture:
    """The active sessions that touch a slot, by their starts and ends, and the levels within the slot."""

    starts: Ints
    ends: Ints
    levels: Levels


@dataclass(slots=True)
class _Slot:
    """One slot as it is now and as it was before the step, each with its picture once that has been asked for.

    `insights` are the events that must be merged again when a session here changes; `touched` is the time, from its
    start to its end, about which the step changed anything.
    """

    spans: Spans
    insights: set[str]
    picture: Picture | None = None
    before: Spans | None = None
    picture_before: Picture | None = None
    touched: tuple[int, int] | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)


# Keyed by the very value that the state table holds, so that an entry is right for as long as it is found.
@lru_cache(CACHED_SLOTS)
def _decode(value: bytes) -> _Stored:
    return _DECODER.decode(value)


@lru_cache(CACHED_SLOTS)
def _decoded_picture(value: bytes, slot: int) -> Picture:
    return _picture(_decode(value).spans, slot)


def _picture(spans: Iterable[Span], slot: int) -> Picture:
    bounds = np.array([(span.started_at, span.ended_at) for span in spans if span.active], dtype=np.int64)
    starts, ends = bounds.reshape(-1, 2).T
    return Picture(starts, ends, sweep(starts, ends, slot * SLOT, (slot + 1) * SLOT))


class Slots:
    """Reads slots through `read` and changes them in memory until `writes` is taken.

    What is asked for `before` is the state before the current step: `begin_step` makes it what is now.
    """

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._slots: dict[int, _Slot] = {}
        self._changed: set[int] = set()
        self._unwritten: set[int] = set()

    def begin_step(self) -> None:
        for number in self._changed:
            slot = self._slots[number]
            slot.before = slot.picture_before = slot.touched = None
        self._changed.clear()

    def spans(self, slot: int, *, before: bool = False) -> Spans:
        """Copies of the sessions that touch the slot, absorbed ones too."""
        found = self._slot(slot)
        return found.before if before and found.before is not None else found.spans

    def of_subject(self, subject_id: str, start: int, end: int, *, before: bool = False) -> list[Span]:
        """The subject's active sessions that touch ``[start, end]``, both included."""
        found: Spans = {}
        for slot in slots_of(start, end):
            for copy in self.spans(slot, before=before).values():
                if copy.subject_id == subject_id and copy.session_id not in found:
                    found[copy.session_id] = self._latest(copy, before=before)
        return [span for span in found.values() if span.active and span.started_at <= end and span.ended_at >= start]

    def levels(self, start: int, end: int, *, before: bool = False) -> Levels:
        """The levels of ``[start, end)``, which must not be empty."""
        return join(
            [
                self.picture(slot, before=before).levels.clip(max(start, slot * SLOT), min(end, (slot + 1) * SLOT))
                for slot in slots_of(start, end - 1)
            ]
        )

    def picture(self, number: int, *, before: bool = False) -> Picture:
        slot = self._slot(number)
        if before and slot.before is not None:
            if slot.picture_before is None:
                slot.picture_before = _picture(slot.before.values(), number)
            return slot.picture_before
        if slot.picture is None:
            slot.picture = _picture(slot.spans.values(), number)
        return slot.picture

    def take(self, span: Span) -> Span | None:
        """Make a version of a session known; give the version as kept, or None when a later one is known.

        The same version again is written where a crash kept it from being written.
        """
        known = self._known(span)
        if known and known.revision > span.revision:
            return None
        kept = span
        if known:
            kept = msgspec.structs.replace(span, reach=max(span.reach, known.reach))
        start, end = _difference(known, kept)
        home = kept.started_at // SLOT
        for number in sorted({home, *slots_of(start, end)}):
            copy = self.spans(number).get(kept.session_id)
            if copy is None or copy.within(number) != kept.within(number):
                self._put(number, kept)
                self._touch(number, start, end)
            elif number == home and copy != kept:
                self._put(number, kept)
        return kept

    def changed(self) -> list[int]:
        """Slots in which the step made a session known anew."""
        return sorted(self._changed)

    def touched(self) -> list[tuple[int, int, int]]:
        """(slot, from, to) of the time about which the step changed levels, starts or ends; the end belongs to it."""
        return [(number, *touched) for number in self.changed() if (touched := self._slots[number].touched)]

    def insights(self, slot: int) -> set[str]:
        return self._slot(slot).insights

    def refer(self, slot: int, insight_id: str) -> None:
        insights = self._slot(slot).insights
        if insight_id not in insights:
            insights.add(insight_id)
            self._unwritten.add(slot)

    def writes(self) -> Iterator[tuple[int, bytes]]:
        """Each slot stands for itself, so the order does not matter and a part of them may be lost in a crash."""
        for slot in sorted(self._unwritten):
            kept = self._slots[slot]
            yield slot, _ENCODER.encode(_Stored(list(kept.spans.values()), sorted(kept.insights)))

    def _latest(self, copy: Span, *, before: bool = False) -> Span:
        return self.spans(copy.started_at // SLOT, before=before).get(copy.session_id, copy)

    def _known(self, span: Span) -> Span | None:
        for slot in slots_of(span.started_at, span.ended_at):
            copy = self.spans(slot).get(span.session_id)
            if copy is not None:
                return self._latest(copy)
        return None

    def _put(self, number: int, span: Span) -> None:
        slot = self._slot(number)
        if slot.before is None:
            slot.before, slot.picture_before = dict(slot.spans), slot.picture
        slot.spans[span.session_id] = span
        slot.picture = None
        self._changed.add(number)
        self._unwritten.add(number)

    def _touch(self, number: int, start: int, end: int) -> None:
        slot = self._slot(number)
        start, end = max(start, number * SLOT), min(end, (number + 1) * SLOT - 1)
        if slot.touched:
            start, end = min(start, slot.touched[0]), max(end, slot.touched[1])
        slot.touched = start, end

    def _slot(self, number: int) -> _Slot:
        if number not in self._slots:
            value = self._read(number)
            if value is None:
                self._slots[number] = _Slot({}, set())
            else:
                stored = _decode(value)
                spans = {span.session_id: span for span in stored.spans}
                self._slots[number] = _Slot(spans, set(stored.insights), _decoded_picture(value, number))
        return self._slots[number]


def slots_of(start: int, end: int) -> range:
    return range(start // SLOT, end // SLOT + 1)


def _difference(known: Span | None, span: Span) -> tuple[int, int]:
    """Start and end of the time in which a version may differ from the one known: all of it, or, while only the end
    moves, the time between the ends. The same version again may be missing anywhere."""
    if known is None:
        return span.started_at, span.reach
    if known.started_at == span.started_at and known.active == span.active and known.revision < span.revision:
        return min(known.ended_at, span.ended_at), max(known.ended_at, span.ended_at)
    return min(known.started_at, span.started_at), span.reach
