"""The sessions of one camera by slots of 15 minutes.

A slot holds a copy of every session that touches it, ends included. A session keeps its id only while its earliest
appearance stays the same, and an appearance only grows. So a later version covers the instant at which an earlier one
started, and every version is found through the slots of any other.

A session that grows for hours rewrites its first slot and the last ones only: the copy in the first slot, its home, is
the latest version; copies in between say the same of their slot as the latest version would.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from services.insights.domain.levels import Ints, Levels, join, sweep
from services.insights.domain.spans import MINUTE, SLOT, Span

MINUTES = SLOT // MINUTE

CACHED_SPANS = 100_000
"""Some 500 bytes each: what lies about the present of some hundred busy cameras."""

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
class _Version:
    """A slot as it is at some time, with what has been worked out of it.

    `insights` are the events that must be merged again when a session here changes.
    """

    number: int
    spans: Spans = field(default_factory=dict)
    insights: frozenset[str] = frozenset()
    _picture: Picture | None = None
    _of_subjects: dict[str, list[Span]] | None = None

    def picture(self) -> Picture:
        if self._picture is None:
            self._picture = _picture(self.spans, self.number)
        return self._picture

    def of_subject(self, subject_id: str) -> list[Span]:
        if self._of_subjects is None:
            self._of_subjects = {}
            for span in self.spans.values():
                self._of_subjects.setdefault(span.subject_id, []).append(span)
        return self._of_subjects.get(subject_id, [])

    def put(self, span: Span) -> None:
        self.spans[span.session_id] = span
        self._picture = self._of_subjects = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)


class _Versions:
    """The versions read and written last. They are found by the very values that the state table holds, so what is
    found is right, and what is found here is never changed again."""

    def __init__(self) -> None:
        self._versions: OrderedDict[bytes, _Version] = OrderedDict()
        self._spans = 0

    def of(self, value: bytes, number: int) -> _Version:
        found = self._versions.get(value)
        if found is None or found.number != number:
            stored = _DECODER.decode(value)
            spans = {span.session_id: span for span in stored.spans}
            found = _Version(number, spans, frozenset(stored.insights))
            self.keep(value, found)
        self._versions.move_to_end(value)
        return found

    def keep(self, value: bytes, version: _Version) -> None:
        if known := self._versions.pop(value, None):
            self._spans -= len(known.spans)
        self._versions[value] = version
        self._spans += len(version.spans)
        while self._spans > CACHED_SPANS and len(self._versions) > 1:
            _, oldest = self._versions.popitem(last=False)
            self._spans -= len(oldest.spans)


_VERSIONS = _Versions()


def _picture(spans: Spans, slot: int) -> Picture:
    bounds = np.array([(span.started_at, span.ended_at) for span in spans.values() if span.active], dtype=np.int64)
    starts, ends = bounds.reshape(-1, 2).T
    return Picture(starts, ends, sweep(starts, ends, slot * SLOT, (slot + 1) * SLOT))


class Slots:
    """Reads slots through `read` and changes them in memory until `writes` is taken."""

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._slots: dict[int, _Version] = {}
        self._touched: dict[int, int] = {}
        self._touched_before: dict[int, int] = {}
        self._changed: set[int] = set()
        self._unwritten: set[int] = set()

    def begin_step(self) -> None:
        for number, minutes in self._touched.items():
            self._touched_before[number] = self._touched_before.get(number, 0) | minutes
        self._touched.clear()

    def of_subject(self, subject_id: str, start: int, end: int) -> list[Span]:
        """The subject's active sessions that touch ``[start, end]``, both included."""
        found: Spans = {}
        for slot in slots_of(start, end):
            for copy in self._slot(slot).of_subject(subject_id):
                if copy.session_id not in found:
                    found[copy.session_id] = self._latest(copy)
        return [span for span in found.values() if span.active and span.started_at <= end and span.ended_at >= start]

    def levels(self, start: int, end: int) -> Levels:
        """The levels of ``[start, end)``, which must not be empty."""
        return join(
            [
                self.picture(slot).levels.clip(max(start, slot * SLOT), min(end, (slot + 1) * SLOT))
                for slot in slots_of(start, end - 1)
            ]
        )

    def picture(self, slot: int) -> Picture:
        return self._slot(slot).picture()

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
        home = kept.started_at // SLOT
        start, end = _touched(known, kept)
        for number in {home, *slots_of(*_difference(known, kept))}:
            copy = self._slot(number).spans.get(kept.session_id)
            if copy is None or copy.within(number) != kept.within(number):
                self._put(number, kept)
                if start < (number + 1) * SLOT and end >= number * SLOT:
                    self._touch(number, start, end)
            elif number == home and copy != kept:
                self._put(number, kept)
        return kept

    def touched(self) -> list[int]:
        """Slots in which the step changed levels, starts or ends."""
        return sorted(self._touched)

    def touched_minutes(self) -> Iterator[tuple[int, list[int]]]:
        """(slot, minutes within it) about which the step changed anything; what came of it may be as before."""
        for number, minutes in sorted(self._touched.items()):
            yield number, [minute for minute in range(MINUTES) if minutes >> minute & 1]

    def touched_between(self, start: int, end: int) -> bool:
        """Whether any step changed anything about a minute of ``[start, end]``."""
        return any(
            _minutes_of(slot, start, end) & (self._touched.get(slot, 0) | self._touched_before.get(slot, 0))
            for slot in slots_of(start, end)
        )

    def insights(self) -> set[str]:
        """The events that the slots lead to in which any step made a session known anew."""
        return {insight_id for number in self._changed for insight_id in self._slots[number].insights}

    def refer(self, slot: int, insight_id: str) -> None:
        version = self._slot(slot)
        if insight_id not in version.insights:
            self._slots[slot] = replace(version, insights=version.insights | {insight_id})
            self._unwritten.add(slot)

    def writes(self) -> Iterator[tuple[int, bytes]]:
        """Each slot stands for itself, so the order does not matter and a part of them may be lost in a crash."""
        for slot in sorted(self._unwritten):
            version = self._slots[slot]
            value = _ENCODER.encode(_Stored(list(version.spans.values()), sorted(version.insights)))
            _VERSIONS.keep(value, version)
            yield slot, value

    def _latest(self, copy: Span) -> Span:
        return self._slot(copy.started_at // SLOT).spans.get(copy.session_id, copy)

    def _known(self, span: Span) -> Span | None:
        for slot in slots_of(span.started_at, span.ended_at):
            copy = self._slot(slot).spans.get(span.session_id)
            if copy is not None:
                return copy if copy.started_at // SLOT == slot else self._latest(copy)
        return None

    def _put(self, number: int, span: Span) -> None:
        if number not in self._changed:
            version = self._slots[number]
            self._slots[number] = _Version(number, dict(version.spans), version.insights)
            self._changed.add(number)
            self._unwritten.add(number)
        self._slots[number].put(span)

    def _touch(self, number: int, start: int, end: int) -> None:
        self._touched[number] = self._touched.get(number, 0) | _minutes_of(number, start, end)

    def _slot(self, number: int) -> _Version:
        found = self._slots.get(number)
        if found is None:
            value = self._read(number)
            found = self._slots[number] = _VERSIONS.of(value, number) if value else _Version(number)
        return found


def slots_of(start: int, end: int) -> range:
    return range(start // SLOT, end // SLOT + 1)


def _minutes_of(slot: int, start: int, end: int) -> int:
    """A bit for each minute of the slot that ``[start, end]`` touches."""
    first = max(start // MINUTE - slot * MINUTES, 0)
    last = min(end // MINUTE - slot * MINUTES, MINUTES - 1)
    return (2 << last) - (1 << first)


def _touched(known: Span | None, span: Span) -> tuple[int, int]:
    """Start and end of the time about which a version says something else than the one known."""
    if known is None:
        return span.started_at, span.ended_at
    starts, ends = (known.started_at, span.started_at), (known.ended_at, span.ended_at)
    if known.revision == span.revision:
        return min(starts), span.reach
    if known.active != span.active:
        return min(starts), max(ends)
    moved = [instant for before, now in (starts, ends) if before != now for instant in (before, now)] or ends
    return min(moved), max(moved)


def _difference(known: Span | None, span: Span) -> tuple[int, int]:
    """Start and end of the time in which copies may differ from those of the version known: all of it, or, while only
    the end moves, the time between the ends. The same version again may be missing anywhere."""
    if known is None:
        return span.started_at, span.reach
    if known.started_at == span.started_at and known.active == span.active and known.revision < span.revision:
        return min(known.ended_at, span.ended_at), max(known.ended_at, span.ended_at)
    return min(known.started_at, span.started_at), span.reach
