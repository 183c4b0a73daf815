"""Endless reports of people who walk past cameras: named late, told twice, prolonged, and out of order."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.events.appearances import subject_id_of
from services.common.events.common import isoformat

Report = dict[str, Any]

CAMERAS = 10
"""Enough for half of the partitions to have some."""
PEOPLE = 12

START = datetime(2026, 3, 10, 8, tzinfo=UTC)

PAUSES = (0, 20, 59.999999, 60, 60.000001, 90, 400)
LENGTHS = (0, 1, 12.5, 30, 75)

MIXED = 80
"""Reports are drawn from so many at a time, so they overtake each other by minutes."""

TOLD_AGAIN = 0.1
HELD_BACK = 0.03
"""The share that comes only at the end, as a camera's buffer after an outage: it bridges sessions long told."""


class Walks:
    """The key of an appearance counts up per camera and person, so that a missing one can be named."""

    def __init__(self, name: str) -> None:
        """`name` is what the cameras' names begin with, and the seed of chance."""
        self._chance = random.Random(name)
        self._clock = {(f"{name}-{number}", person): START for number in range(CAMERAS) for person in range(PEOPLE)}
        self._count = dict.fromkeys(self._clock, 0)
        self._mixed: list[Report] = []
        self._held: list[Report] = []
        self._told: list[Report] = []
        self._insights = 0

    def take(self, count: int) -> list[Report]:
        chance = self._chance
        taken: list[Report] = []
        while len(taken) < count:
            while len(self._mixed) < MIXED:
                self._mixed += self._sighting()
            report = self._mixed.pop(chance.randrange(MIXED))
            if chance.random() < HELD_BACK:
                self._held.append(report)
                continue
            taken.append(report)
            self._told.append(report)
            if chance.random() < TOLD_AGAIN:
                taken.append(chance.choice(self._told))
        return taken

    def rest(self) -> list[Report]:
        """What was held back or not drawn yet."""
        rest = self._mixed + self._held
        self._mixed, self._held = [], []
        self._chance.shuffle(rest)
        return rest

    def insight(self) -> Report:
        """A loitering event about somebody who was there a short while ago."""
        camera, person = self._chance.choice(list(self._clock))
        started_at = self._clock[camera, person] - timedelta(seconds=self._chance.choice([0, 30, 200]))
        self._insights += 1
        return {
            "insight_id": f"{camera}/insight-{self._insights}",
            "kind": "loitering",
            "camera_id": camera,
            "started_at": isoformat(started_at),
            "reported_at": isoformat(started_at + timedelta(minutes=1)),
            "duration_seconds": self._chance.choice([0.0, 45.0]),
            "subject_id": f"person-{person}",
            "source": "faults",
        }

    def _sighting(self) -> Iterator[Report]:
        chance = self._chance
        camera, person = place = chance.choice(list(self._clock))
        started_at = self._clock[place] + timedelta(seconds=chance.choice(PAUSES))
        ended_at = started_at + timedelta(seconds=chance.choice(LENGTHS))
        self._clock[place] = ended_at
        self._count[place] += 1
        key = f"{camera}/{person}/{self._count[place]}"
        middle = started_at + (ended_at - started_at) / 2
        match chance.randrange(4):
            case 0:  # seen live without a name, and named later
                yield _report(camera, None, key, started_at, middle, told=1)
                yield _report(camera, f"person-{person}", key, started_at, ended_at, told=2)
            case 1:  # prolonged
                yield _report(camera, f"person-{person}", key, middle, middle, told=1)
                yield _report(camera, f"person-{person}", key, started_at, ended_at, told=2, age_group="20-29")
            case 2:  # never named
                yield _report(camera, None, key, started_at, ended_at, told=1, gender="female")
            case _:
                yield _report(camera, f"person-{person}", key, started_at, ended_at, told=1, gender="male")


def _report(
    camera: str, person: str | None, key: str, started_at: datetime, ended_at: datetime, *, told: int, **seen: str
) -> Report:
    return {
        "appearance_key": key,
        "appearance_id": key,
        "camera_id": camera,
        "subject_id": subject_id_of(person, None, key),
        "person_id": person,
        "started_at": isoformat(started_at),
        "ended_at": isoformat(ended_at),
        "reported_at": isoformat(ended_at + timedelta(seconds=told)),
        "source": "faults",
        "age_group": "other",
        "gender": "other",
        **seen,
    }
