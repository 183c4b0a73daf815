"""The sessions of one camera by slots of 15 minutes.

A slot holds a copy of every session that touches it, ends included. A session keeps its id only while its earliest
appearance stays the same, and an appearance only grows. So a later version covers the instant at which an earlier one
started, and every version is found through the slots of any other.

A session that grows for hours rewrites its first slot and the last ones only: the copy in the first slot, its home, is
the latest version; copies in between say the same of their slot as the latest version would.

A value holds every 32nd subject of a slot: one value a slot would be written whole for each of the thousands who pass a
busy camera in a quarter of an hour.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from operator import attrgetter
from zlib import crc32

import msgspec

from services.common.kept import read_kept
from services.insights.domain.levels import Levels, join
from services.insights.domain.picture import Picture
from services.insights.domain.remembered import Remembered
from services.insights.domain.spans import MINUTE, SLOT, Span

MINUTES = SLOT // MINUTE

PARTS = 32
"""Of a slot. Part of the state's layout."""

REMEMBERED_SESSIONS = 100_000
"""Some 500 bytes each: what lies about the present of some hundred busy cameras."""

REMEMBERED_STARTS = 1_000_000
"""With their ends 16 bytes each."""

Spans = dict[str, Span]
"""By session id."""

Place = tuple[int, int]
"""Slot and part."""

_ENCODER = msgspec.msgpack.Encoder()
_SPANS = msgspec.msgpack.Decoder(list[Span])
_REFERENCES = msgspec.msgpack.Decoder(frozenset[str])

_PARTS: Remembered[tuple[str, Place], Spans] = Remembered(REMEMBERED_SESSIONS)
_PICTURES: Remembered[tuple[str, int], Picture] = Remembered(REMEMBERED_STARTS)


class Slots:
    """Reads values through `read` and changes them in memory until `writes` is taken."""

    def __init__(self, camera_id: str, read: Callable[[str], bytes | None]) -> None:
        self._camera_id = camera_id
        self._read = read
        self._parts: dict[Place, Spans] = {}
        self._changed: set[Place] = set()
        self._values: dict[int, list[bytes | None]] = {}
        self._pictures: dict[int, Picture] = {}
        self._gone: dict[int, list[Span]] = {}
        self._come: dict[int, list[Span]] = {}
        self._references: dict[int, frozenset[str]] = {}
        self._referred: set[int] = set()
        self._touched: dict[int, int] = {}
        self._touched_before: dict[int, int] = {}

    def begin_step(self) -> None:
        for number, minutes in self._touched.items():
            self._touched_before[number] = self._touched_before.get(number, 0) | minutes
        self._touched.clear()

    def of_subject(self, subject_id: str, start: int, end: int) -> list[Span]:
        """The subject's active sessions that touch ``[start, end]``, both included."""
        found: Spans = {}
        for slot in slots_of(start, end):
            for copy in self._part_of(slot, subject_id).values():
                if copy.subject_id == subject_id and copy.session_id not in found:
                    found[copy.session_id] = self._latest(copy)
        return [span for span in found.values() if span.active and span.started_at <= end and span.ended_at >= start]

    def levels(self, start: int, end: int) -> Levels:
        """The levels of ``[start, end)``, which must not be empty."""
        return join([self.picture(slot).levels(*bounds) for slot, bounds in _by_slot(start, end)])

    def busy(self, start: int, end: int) -> int:
        """Microseconds of presence in ``[start, end)``, over all sessions."""
        return sum(self.picture(slot).busy(*bounds) for slot, bounds in _by_slot(start, end))

    def picture(self, slot: int) -> Picture:
        found = self._pictures.get(slot)
        if found is None:
            values = self._values[slot] = [self._read(_part_key((slot, part))) for part in range(PARTS)]
            found = _PICTURES.find((self._camera_id, slot), values)
        gone, come = self._gone.pop(slot, ()), self._come.pop(slot, ())
        if found is None:
            spans = (self._part((slot, part)).values() for part in range(PARTS))
            found = Picture.of(chain.from_iterable(spans))
        elif gone or come:
            found = found.changed(gone, come)
        self._pictures[slot] = found
        return found

    def take(self, span: Span) -> Span | None:
        """Make a version of a session known; give the version as kept, or None when a later one is known.

        The same version again is written where a crash kept it from being written.
        """
        versions = self._versions(span)
        known = max(versions, key=attrgetter("revision", "active"), default=None)
        for other in versions:
            if other is not known:
                self._end(other, max(known.revision, span.revision) if known else span.revision)
        if known and known.revision > span.revision:
            return None
        kept = span
        if known:
            kept = msgspec.structs.replace(span, reach=max(span.reach, known.reach))
        home = kept.started_at // SLOT
        start, end = _touched(known, kept)
        changed = _difference(known if len(versions) == 1 else None, kept)
        for number in {home, *slots_of(*changed)}:
            copy = self._part_of(number, kept.subject_id).get(kept.session_id)
            if copy is None or copy.within(number) != kept.within(number):
                self._put(number, kept)
                if start < (number + 1) * SLOT and end >= number * SLOT:
                    self._touch(number, start, end)
            elif number == home and copy != kept:
                self._put(number, kept)
        return kept

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
        return {insight_id for slot in {slot for slot, _ in self._changed} for insight_id in self._referring(slot)}

    def refer(self, slot: int, insight_id: str) -> None:
        references = self._referring(slot)
        if insight_id not in references:
            self._references[slot] = references | {insight_id}
            self._referred.add(slot)

    def writes(self) -> Iterator[tuple[str, bytes]]:
        """Each value stands for itself, so the order does not matter and a part of them may be lost in a crash."""
        for slot in sorted(self._referred):
            yield _references_key(slot), _ENCODER.encode(sorted(self._references[slot]))
        for place in sorted(self._changed):
            spans = self._parts[place]
            value = _ENCODER.encode(list(spans.values()))
            _PARTS.keep((self._camera_id, place), [value], spans, len(spans))
            slot, part = place
            if slot in self._values:
                self._values[slot][part] = value
            yield _part_key(place), value
        for slot, values in self._values.items():
            picture = self.picture(slot)
            _PICTURES.keep((self._camera_id, slot), values, picture, 1 + picture.starts.size)

    def _latest(self, copy: Span) -> Span:
        return self._part_of(copy.started_at // SLOT, copy.subject_id).get(copy.session_id, copy)

    def _versions(self, span: Span) -> list[Span]:
        """The versions of a session to which the slots of another lead. More than one only after a withdrawal, when it
        was told of at places apart, and then of one that lies about both."""
        found: dict[int, Span] = {}
        for slot in slots_of(span.started_at, span.ended_at):
            copy = self._part_of(slot, span.subject_id).get(span.session_id)
            if copy is not None and copy.started_at not in found:
                latest = copy if copy.started_at // SLOT == slot else self._latest(copy)
                found[latest.started_at] = latest
        return list(found.values())

    def _end(self, span: Span, revision: int) -> None:
        """Have the version, which a later one replaces elsewhere, count no more."""
        ended = msgspec.structs.replace(span, active=False, revision=revision)
        for number in slots_of(span.started_at, span.reach):
            copy = self._part_of(number, span.subject_id).get(span.session_id)
            if copy is not None and copy.started_at == span.started_at and copy != ended:
                self._put(number, ended)
                if span.active and span.ended_at >= number * SLOT:
                    self._touch(number, span.started_at, span.ended_at)

    def _put(self, slot: int, span: Span) -> None:
        place = _place(slot, span.subject_id)
        if place not in self._changed:
            self._parts[place] = dict(self._part(place))
            self._changed.add(place)
        spans = self._parts[place]
        if known := spans.get(span.session_id):
            self._gone.setdefault(slot, []).append(known)
        self._come.setdefault(slot, []).append(span)
        spans[span.session_id] = span

    def _touch(self, number: int, start: int, end: int) -> None:
        self._touched[number] = self._touched.get(number, 0) | _minutes_of(number, start, end)

    def _part_of(self, slot: int, subject_id: str) -> Spans:
        return self._part(_place(slot, subject_id))

    def _part(self, place: Place) -> Spans:
        found = self._parts.get(place)
        if found is None:
            value = self._read(_part_key(place))
            found = self._parts[place] = self._decoded(place, value) if value is not None else {}
        return found

    def _decoded(self, place: Place, value: bytes) -> Spans:
        key = self._camera_id, place
        found = _PARTS.find(key, [value])
        if found is None:
            found = {span.session_id: span for span in read_kept(_SPANS, value)}
            _PARTS.keep(key, [value], found, len(found))
        return found

    def _referring(self, slot: int) -> frozenset[str]:
        found = self._references.get(slot)
        if found is None:
            value = self._read(_references_key(slot))
            found = self._references[slot] = frozenset() if value is None else read_kept(_REFERENCES, value)
        return found


def _place(slot: int, subject_id: str) -> Place:
    return slot, crc32(subject_id.encode()) % PARTS


def _part_key(place: Place) -> str:
    slot, part = place
    return f"slot:{slot}:{part}"


def _references_key(slot: int) -> str:
    return f"references:{slot}"


def _by_slot(start: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each slot of ``[start, end)``, and what of that time lies in it."""
    for slot in slots_of(start, end - 1):
        yield slot, (max(start, slot * SLOT), min(end, (slot + 1) * SLOT))


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
