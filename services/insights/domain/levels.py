"""How many sessions there are at once, as a step function of time.

In arrays, because a busy camera has hundreds of steps in every quarter of an hour. Instants are microseconds, so that
all sums are exact.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Run(NamedTuple):
    """A time with more sessions than some number, and how many there were at most."""

    start: int
    end: int
    peak: int


@dataclass(frozen=True, slots=True)
class Levels:
    """``counts[n]`` sessions from ``times[n]`` until ``times[n + 1]``, the end not included, without gaps. Some of
    these steps have no length, and the count of the next."""

    times: Ints
    counts: Ints

    def at(self, instant: int) -> int:
        return int(self.counts[int(np.searchsorted(self.times, instant, "right")) - 1])

    @property
    def peak(self) -> int:
        return int(self.counts.max())

    def runs_above(self, threshold: float, margin: int) -> list[Run]:
        """The runs with more than the threshold; those that lie at most `margin` apart are one."""
        above = np.flatnonzero(self.counts > threshold)
        if not above.size:
            return []
        starts, ends = self.times[above], self.times[above + 1]
        firsts = np.concatenate(([0], np.flatnonzero(starts[1:] - ends[:-1] > margin) + 1))
        lasts = np.append(firsts[1:], above.size) - 1
        peaks = np.maximum.reduceat(self.counts[above], firsts)
        return [
            Run(int(start), int(end), int(peak))
            for start, end, peak in zip(starts[firsts], ends[lasts], peaks, strict=True)
        ]


def sweep(starts: Ints, ends: Ints, bounds: Ints) -> Levels:
    """The levels from the first of the bounds to the last, with a step at each, for sessions given by their starts and
    ends; all sorted.

    A session counts at `t` where ``started_at <= t < ended_at``: at one instant ends come before starts, and a session
    of zero length never counts.
    """
    within = [instants[slice(*np.searchsorted(instants, bounds[[0, -1]]))] for instants in (starts, ends)]
    times = np.concatenate((bounds, *within))
    times.sort()
    counts = np.searchsorted(starts, times[:-1], "right") - np.searchsorted(ends, times[:-1], "right")
    return Levels(times, counts)


def join(levels: list[Levels]) -> Levels:
    """Levels that follow each other, as one."""
    if len(levels) == 1:
        return levels[0]
    return Levels(
        np.concatenate([part.times[:-1] for part in levels] + [levels[-1].times[-1:]]),
        np.concatenate([part.counts for part in levels]),
    )
