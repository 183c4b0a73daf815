"""Who walks through the shop, when and past which cameras: all of it follows from the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from services.ingest.layout import AISLES, CASHIERS, ENTRANCES, ShopCamera

BAKERY = AISLES[1]
CROWD_PLACE = AISLES[0]

AGE_GROUPS = ("10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-")
AGE_WEIGHTS = (6, 20, 24, 20, 15, 10, 5)
GENDERS = ("female", "male")
UNDECIDED = "not_determined"

REGULARS = tuple(f"regular-{number:02d}" for number in range(1, 13))
"""Persons of interest whom a watchlist knows; everybody else stays anonymous."""
REGULAR_SHARE = 0.1

CROWD_PEOPLE = 14
TOLD_AFTER = timedelta(seconds=5)
CROWD_EVERY = timedelta(minutes=12)
FIRST_CROWD_AFTER = timedelta(seconds=90)

BUYER_SHARE = 0.8
LONG_WAIT_SHARE = 0.02
LONG_STAY_SECONDS = (11 * 60.0, 14 * 60.0)
"""Longer than the ten minutes after which a wait is a violation."""

ALREADY_WAITING = timedelta(seconds=555)
LONG_STAY_EVERY = timedelta(minutes=20)
"""Somebody waits at the bakery; the first such wait grows too long within a minute of the start."""


@dataclass(frozen=True, slots=True)
class Person:
    """`number` tells one visit's person from every other of the same run; a regular comes again and again."""

    number: int
    age_group: str
    gender: str
    poi_id: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person in front of one camera; `number` tells it from every other of the same run."""

    number: int
    camera: ShopCamera
    person: Person
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Crowd:
    """A moment at which the vendor's analytics see a crowd."""

    camera: ShopCamera
    started_at: datetime
    duration_seconds: float
    people_count: int

    @property
    def sent_at(self) -> datetime:
        return self.started_at + TOLD_AFTER


Happening = tuple[datetime, list[Sighting | Crowd]]
"""What comes of an arrival at that time; nothing of it begins earlier."""


class Shop:
    """The life of the shop, in order of arrival; it never ends.

    The same seed, times and rate give the same people. Opened before `begins_at`, it is full when that comes.
    """

    def __init__(self, seed: int, begins_at: datetime, people_per_minute: float, open_for: timedelta) -> None:
        self._random = Random(seed)  # noqa: S311 - nothing here is secret
        self._begins_at = begins_at
        self._opened_at = begins_at - open_for
        self._rate = people_per_minute
        self._sightings = 0
        self._people = 0

    def happenings(self) -> Iterator[Happening]:
        arrives_at, crowd_at = self._opened_at, self._begins_at + FIRST_CROWD_AFTER
        waiter_at = max(self._opened_at, self._begins_at - ALREADY_WAITING)
        while True:
            next_at = min(arrives_at, crowd_at, waiter_at)
            if next_at == waiter_at:
                yield waiter_at, [self._see(BAKERY, self._person(), waiter_at, LONG_STAY_SECONDS[0])]
                waiter_at += LONG_STAY_EVERY
            elif next_at == crowd_at:
                yield crowd_at, self._crowd(crowd_at)
                crowd_at += CROWD_EVERY
            else:
                yield arrives_at, list(self._visit(arrives_at))
                arrives_at += timedelta(seconds=self._random.expovariate(self._rate / 60))

    def _visit(self, at: datetime) -> Iterator[Sighting]:
        person = self._person()
        entrance = self._random.choice(ENTRANCES)
        path = [(entrance, (4.0, 20.0))]
        path += [(aisle, (15.0, 150.0)) for aisle in self._random.sample(AISLES, self._random.randint(1, 4))]
        if self._random.random() < LONG_WAIT_SHARE:
            path.append((self._random.choice(CASHIERS), LONG_STAY_SECONDS))
        elif self._random.random() < BUYER_SHARE:
            path.append((self._random.choice(CASHIERS), (30.0, 240.0)))
        path.append((entrance, (3.0, 10.0)))
        for camera, (least, most) in path:
            sighting = self._see(camera, person, at, self._random.uniform(least, most))
            yield sighting
            at = sighting.ended_at + timedelta(seconds=self._random.uniform(3, 30))

    def _crowd(self, at: datetime) -> list[Sighting | Crowd]:
        crowd: list[Sighting | Crowd] = [Crowd(CROWD_PLACE, at + timedelta(seconds=30), 90.0, CROWD_PEOPLE)]
        for _ in range(CROWD_PEOPLE):
            comes_at = at + timedelta(seconds=self._random.uniform(0, 20))
            crowd.append(self._see(CROWD_PLACE, self._person(), comes_at, self._random.uniform(120, 240)))
        return crowd

    def _person(self) -> Person:
        self._people += 1
        random = self._random
        poi_id = random.choice(REGULARS) if random.random() < REGULAR_SHARE else None
        if random.random() < 0.08:
            return Person(self._people, UNDECIDED, UNDECIDED, poi_id)
        return Person(self._people, random.choices(AGE_GROUPS, AGE_WEIGHTS)[0], random.choice(GENDERS), poi_id)

    def _see(self, camera: ShopCamera, person: Person, at: datetime, seconds: float) -> Sighting:
        self._sightings += 1
        return Sighting(self._sightings, camera, person, at, at + timedelta(seconds=seconds))
