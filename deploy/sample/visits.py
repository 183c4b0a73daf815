"""People walking through the shop: one day of sightings, the same for the same day and seed."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from deploy.sample.shop import (
    CLOSES,
    REGULAR_SHARE,
    VISITS,
    Camera,
    Person,
    Place,
    Shop,
    arrival_hour,
    make_id,
    make_person,
)

# Median seconds in front of a camera, and how far they scatter (sigma of the logarithm).
_DWELL: dict[Place, tuple[float, float]] = {"entrance": (12, 0.5), "aisle": (70, 0.8), "cashier": (110, 0.6)}

_LONGEST_STAY = timedelta(minutes=9)
_LINGERERS = 14
"""Visits in which somebody stays far too long in front of one camera: 11 to 20 minutes."""

_SECOND_VISITS = 0.05
_WALK_SECONDS = (65.0, 150.0)
"""Between two cameras. Longer than the session gap, so that turning back to a camera is a session of its own."""

_TRACK_SECONDS = 80.0
"""The vendor's tracker loses a face about once in this time."""

DUPLICATES = 12
"""Rows that stand in the export twice, as after an export of overlapping hours."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One track of one person on one camera: a row of the export."""

    appearance_id: str
    event_id: str
    camera: Camera
    person: Person
    started_at: datetime
    ended_at: datetime


def make_day(shop: Shop, day: date, seed: int, zone: ZoneInfo) -> list[Sighting]:
    """All sightings of the day by start, some of them twice."""
    rng = Random(f"day {seed} {day.isoformat()}")  # noqa: S311
    closes = datetime.combine(day, CLOSES, zone).astimezone(UTC)
    lingering = set(rng.sample(range(VISITS), _LINGERERS))

    sightings: list[Sighting] = []
    regulars = list(shop.regulars)
    rng.shuffle(regulars)
    for number in range(VISITS):
        person = regulars.pop() if regulars and rng.random() < REGULAR_SHARE else make_person(rng)
        arrives = _arrival(rng, day, zone)
        sightings += _visit(rng, shop, person, arrives, lingers=number in lingering)
        if rng.random() < _SECOND_VISITS:
            sightings += _visit(rng, shop, person, arrives + timedelta(hours=rng.uniform(1.5, 5)), lingers=False)

    open_hours = [sighting for sighting in sightings if sighting.ended_at <= closes]
    open_hours += rng.sample(open_hours, DUPLICATES)
    return sorted(open_hours, key=lambda sighting: (sighting.started_at, sighting.appearance_id))


def _arrival(rng: Random, day: date, zone: ZoneInfo) -> datetime:
    local = datetime(day.year, day.month, day.day, arrival_hour(rng), tzinfo=zone)
    return _rounded(local.astimezone(UTC) + timedelta(seconds=rng.uniform(0, 3_600)))


def _visit(rng: Random, shop: Shop, person: Person, arrives: datetime, *, lingers: bool) -> list[Sighting]:
    door = rng.choice(shop.at("entrance"))
    aisles = [rng.choice(shop.at("aisle")) for _ in range(rng.choice((1, 2, 2, 3, 3, 4)))]
    tills = [rng.choice(shop.at("cashier"))] if rng.random() < 0.75 else []
    way = [door, *aisles, *tills, rng.choice([door, door, *shop.at("entrance")])]
    lingers_at = rng.randrange(1, len(aisles) + 1) if lingers else None

    sightings: list[Sighting] = []
    at = arrives
    for stop, camera in enumerate(way):
        stay = timedelta(minutes=rng.uniform(11, 20)) if stop == lingers_at else _stay(rng, camera)
        sightings += _tracks(rng, camera, person, at, at + stay)
        at += stay + timedelta(seconds=rng.uniform(*_WALK_SECONDS))
    return sightings


def _stay(rng: Random, camera: Camera) -> timedelta:
    median, scatter = _DWELL[camera.place]
    return min(timedelta(seconds=3 + rng.lognormvariate(math.log(median), scatter)), _LONGEST_STAY)


def _tracks(rng: Random, camera: Camera, person: Person, start: datetime, end: datetime) -> list[Sighting]:
    """A stay as the tracker sees it: in pieces, with the face lost in between or seen by two tracks at once."""
    tracks: list[Sighting] = []
    at = start
    while True:
        length = timedelta(seconds=rng.expovariate(1 / _TRACK_SECONDS) + 4)
        stops = end if end - (at + length) < timedelta(seconds=8) else at + length
        track = Sighting(make_id(rng), make_id(rng), camera, person, _rounded(at), _rounded(stops))
        tracks.append(track)
        if stops == end:
            return tracks
        at = max(at, stops - timedelta(seconds=3)) if rng.random() < 0.15 else stops + _lost(rng, end - stops)


def _lost(rng: Random, left: timedelta) -> timedelta:
    return min(timedelta(seconds=rng.uniform(1, 35)), left / 2)


def _rounded(instant: datetime) -> datetime:
    """To the millisecond, which is what the export shows."""
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)
