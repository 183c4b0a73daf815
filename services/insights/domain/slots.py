"""The sessions of one camera by slots of 15 minutes.

A slot holds a copy of every session that touches it, ends included. A session keeps its id only while its earliest
appearance stays the same, and an appearance only grows. So a later version covers the instant at which an earlier one
started, and every version is found through the slots of any other.

A session that grows for hours rewrites its first slot and the last ones only: the copy in the first slot, its home, is
the latest version; copies in between say the same of their slot as the latest version would.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from services.insights.domain.spans import SLOT, Span

Spans = dict[str, Span]
"""By session id."""


class _Stored(msgspec.Struct, array_like=True):
    spans: list[Span]
    insights: list[str]


@dataclass(slots=True)
class _Slot:
    """The insights are the events that must be merged again when a session here changes."""

    spans: Spans
    insights: set[str]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)


class Slots:
    """Reads slots through `read` and changes them in memory until `writes` is taken.

    `was` is the state before the current step: `begin_step` makes it what is now.
    """

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._slots: dict[int, _Slot] = {}
        self._before: dict[int, Spans] = {}
        self._unwritten: set[int] = set()

    def begin_step(self) -> None:
        self._before.clear()

    def spans(self, slot: int) -> Spans:
        return self._slot(slot).spans

    def was(self, slot: int) -> Spans:
        return self._before.get(slot, self.spans(slot))

    def between(self, start: int, end: int, *, before: bool = False) -> list[Span]:
        """The active sessions that touch ``[start, end]``, each in its latest version found there.

        Within the slots of this time they start and end where the sessions do; see `latest` for what lies beyond.
        """
        latest: Spans = {}
        for slot in slots_of(start, end):
            for span in (self.was(slot) if before else self.spans(slot)).values():
                known = latest.get(span.session_id)
                if known is None or span.revision > known.revision:
                    latest[span.session_id] = span
        return [span for span in latest.values() if span.active and span.started_at <= end and span.ended_at >= start]

    def latest(self, span: Span, *, before: bool = False) -> Span:
        """The latest version of a session of which any copy is at hand."""
        home = span.started_at // SLOT
        return (self.was(home) if before else self.spans(home)).get(span.session_id, span)

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
        for slot in _touched(known, kept):
            copy = self.spans(slot).get(kept.session_id)
            if copy is None or (slot == home and copy != kept) or copy.within(slot) != kept.within(slot):
                self._put(slot, kept)
        return kept

    def changed(self) -> list[int]:
        """Slots that differ from what was before the step."""
        return sorted(self._before)

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

    def _known(self, span: Span) -> Span | None:
        for slot in slots_of(span.started_at, span.ended_at):
            copy = self.spans(slot).get(span.session_id)
            if copy is not None:
                return self.latest(copy)
        return None

    def _put(self, slot: int, span: Span) -> None:
        spans = self.spans(slot)
        if slot not in self._before:
            self._before[slot] = dict(spans)
        spans[span.session_id] = span
        self._unwritten.add(slot)

    def _slot(self, slot: int) -> _Slot:
        if slot not in self._slots:
            value = self._read(slot)
            stored = _DECODER.decode(value) if value else _Stored([], [])
            self._slots[slot] = _Slot({span.session_id: span for span in stored.spans}, set(stored.insights))
        return self._slots[slot]


def slots_of(start: int, end: int) -> range:
    return range(start // SLOT, end // SLOT + 1)


def _touched(known: Span | None, span: Span) -> Iterable[int]:
    """Where a version may differ from the one known: everywhere, or, while only the end moves, home and about the end.

    The same version again may be missing anywhere.
    """
    if known is None:
        return slots_of(span.started_at, span.reach)
    if known.started_at == span.started_at and known.active == span.active and known.revision < span.revision:
        ends = slots_of(min(known.ended_at, span.ended_at), max(known.ended_at, span.ended_at))
        return sorted({span.started_at // SLOT, *ends})
    return slots_of(min(known.started_at, span.started_at), span.reach)
