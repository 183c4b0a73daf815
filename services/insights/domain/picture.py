"""A slot's active sessions without their names: what occupancy and windows are worked out from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from services.insights.domain.levels import Ints, Levels, sweep
from services.insights.domain.spans import Span


@dataclass(frozen=True, slots=True)
class Picture:
    """When sessions start, when they end, and when those of zero length are: each sorted, in microseconds."""

    starts: Ints
    ends: Ints
    instants: Ints

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Self:
        return cls(*(np.sort(column) for column in _columns(spans)))

    def changed(self, gone: Iterable[Span], come: Iterable[Span]) -> "Picture":
        """With the spans that have come, and without those that are gone, of which each is here or has come."""
        gone_columns, come_columns = _columns(gone), _columns(come)
        return Picture(
            _replaced(self.starts, gone_columns[0], come_columns[0]),
            _replaced(self.ends, gone_columns[1], come_columns[1]),
            _replaced(self.instants, gone_columns[2], come_columns[2]),
        )

    def levels(self, start: int, end: int) -> Levels:
        """The levels of ``[start, end)``, which must not be empty and must lie within the slot."""
        return sweep(self.starts, self.ends, np.array([start, end]))

    def busy(self, start: int, end: int) -> int:
        """Microseconds of presence in ``[start, end)``, over all sessions."""
        before_end = np.minimum(np.maximum(self.ends, start), end) - start
        before_start = np.minimum(np.maximum(self.starts, start), end) - start
        return int(before_end.sum() - before_start.sum())

    def starting_in(self, start: int, end: int) -> int:
        """How many sessions start in ``[start, end)``."""
        first, last = np.searchsorted(self.starts, (start, end))
        return int(last - first)

    def over_by(self, instant: int) -> int:
        """How many sessions end before the instant or at it, but for those that have no other instant."""
        return int(np.searchsorted(self.ends, instant, "right")) - int(np.count_nonzero(self.instants == instant))


def _columns(spans: Iterable[Span]) -> tuple[Ints, Ints, Ints]:
    bounds = np.array([(span.started_at, span.ended_at) for span in spans if span.active], dtype=np.int64)
    starts, ends = bounds.reshape(-1, 2).T
    return starts, ends, starts[starts == ends]


def _replaced(values: Ints, gone: Ints, come: Ints) -> Ints:
    if come.size:
        # Next to nothing for a few values behind many sorted ones, which this kind of sorting finds.
        values = np.sort(np.concatenate((values, come)), kind="stable")
    if gone.size:
        gone = np.sort(gone)
        earlier_equals = np.arange(gone.size) - np.searchsorted(gone, gone)
        kept = np.ones(values.size, dtype=np.bool_)
        kept[np.searchsorted(values, gone) + earlier_equals] = False
        values = values[kept]
    return values
