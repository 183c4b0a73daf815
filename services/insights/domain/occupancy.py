"""What each minute of a camera comes to."""

from typing import NamedTuple

import numpy as np

from services.common.events.sessions import OccupancyMinute
from services.insights.domain.slots import Picture, Slots
from services.insights.domain.spans import MINUTE, instant


class _Minute(NamedTuple):
    busy: int
    peak: int
    entries: int
    exits: int


def changed_minutes(slots: Slots, camera_id: str, revision: int) -> list[OccupancyMinute]:
    """The minutes that differ from what they were before the step, empty ones included."""
    changed = []
    for slot, touched_from, touched_to in slots.touched():
        start = touched_from // MINUTE * MINUTE
        end = (touched_to // MINUTE + 1) * MINUTE
        before = _minutes(slots.picture(slot, before=True), start, end)
        after = _minutes(slots.picture(slot), start, end)
        changed += [
            _event(camera_id, start + number * MINUTE, minute, revision)
            for number, minute in enumerate(after)
            if minute != before[number]
        ]
    return changed


def _minutes(picture: Picture, start: int, end: int) -> list[_Minute]:
    """The minutes of ``[start, end)``, which lies within the picture's slot."""
    minutes = []
    for minute in range(start, end, MINUTE):
        until = minute + MINUTE
        levels = picture.levels.clip(minute, until)
        entries = np.count_nonzero((picture.starts >= minute) & (picture.starts < until))
        exits = np.count_nonzero((picture.ends >= minute) & (picture.ends < until))
        minutes.append(_Minute(levels.busy, levels.peak, int(entries), int(exits)))
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
