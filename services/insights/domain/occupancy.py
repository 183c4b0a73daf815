"""What each minute of a camera comes to."""

import numpy as np

from services.common.events.sessions import OccupancyMinute
from services.insights.domain.levels import Ints
from services.insights.domain.slots import MINUTES, Picture, Slots
from services.insights.domain.spans import MINUTE, SLOT, instant

_EDGES = np.arange(MINUTES + 1, dtype=np.int64) * MINUTE


def touched_minutes(slots: Slots, camera_id: str, revision: int) -> list[OccupancyMinute]:
    """The minutes about which sessions changed, empty ones included."""
    touched = []
    for slot, numbers in slots.touched_minutes():
        columns = _minutes(slots.picture(slot), slot).T.tolist()
        for number in numbers:
            busy, peak, entries, exits = columns[number]
            touched.append(
                OccupancyMinute(
                    camera_id=camera_id,
                    minute=instant(slot * SLOT + number * MINUTE),
                    occupancy_avg=busy / MINUTE,
                    occupancy_peak=peak,
                    entries=entries,
                    exits=exits,
                    revision=revision,
                )
            )
    return touched


def _minutes(picture: Picture, slot: int) -> Ints:
    """A column a minute of the slot: microseconds of presence, most at once, entries, exits."""
    edges = slot * SLOT + _EDGES
    levels = picture.levels
    times = np.union1d(levels.times, edges)
    counts = levels.counts[np.searchsorted(levels.times, times[:-1], "right") - 1]
    firsts = np.searchsorted(times, edges[:-1])
    return np.stack(
        [
            np.add.reduceat(counts * np.diff(times), firsts),
            np.maximum.reduceat(counts, firsts),
            _in_each(picture.starts, edges),
            _in_each(picture.ends, edges),
        ]
    )


def _in_each(instants: Ints, edges: Ints) -> Ints:
    within = instants[(instants >= edges[0]) & (instants < edges[-1])]
    return np.bincount((within - edges[0]) // MINUTE, minlength=MINUTES)
