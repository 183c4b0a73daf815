"""What each minute of a camera comes to."""

import numpy as np

from services.common.events.sessions import OccupancyMinute
from services.insights.domain.levels import Ints, sweep
from services.insights.domain.picture import Picture
from services.insights.domain.slots import Slots
from services.insights.domain.spans import MINUTE, SLOT, instant


def touched_minutes(slots: Slots, camera_id: str, revision: int) -> list[OccupancyMinute]:
    """The minutes about which sessions changed, empty ones included."""
    touched = []
    for slot, numbers in slots.touched_minutes():
        start = slot * SLOT
        first, last = numbers[0], numbers[-1]
        columns = _minutes(slots.picture(slot), start + first * MINUTE, last - first + 1).T.tolist()
        for number in numbers:
            busy, peak, entries, exits = columns[number - first]
            touched.append(
                OccupancyMinute(
                    camera_id=camera_id,
                    minute=instant(start + number * MINUTE),
                    occupancy_avg=busy / MINUTE,
                    occupancy_peak=peak,
                    entries=entries,
                    exits=exits,
                    revision=revision,
                )
            )
    return touched


def _minutes(picture: Picture, start: int, minutes: int) -> Ints:
    """A column a minute: microseconds of presence, most at once, entries, exits."""
    edges = start + np.arange(minutes + 1, dtype=np.int64) * MINUTE
    levels = sweep(picture.starts, picture.ends, edges)
    firsts = np.searchsorted(levels.times, edges[:-1])
    return np.stack(
        [
            np.add.reduceat(levels.counts * np.diff(levels.times), firsts),
            np.maximum.reduceat(levels.counts, firsts),
            np.diff(np.searchsorted(picture.starts, edges)),
            np.diff(np.searchsorted(picture.ends, edges)),
        ]
    )
