"""The shop of the sample: eight cameras under one roof, and who comes when."""

import uuid
from dataclasses import dataclass
from datetime import time
from random import Random
from typing import Literal

Place = Literal["entrance", "aisle", "cashier"]

STORE = "Harbour Street"
DEPARTMENT = "Groceries"
DIVISION = "North"

OPENS = time(9)
CLOSES = time(21)

VISITS = 560
"""A day; they make about 5,000 appearances."""

REGULARS = 150
"""People who come on many days; `REGULAR_SHARE` of a day's visitors are of them."""
REGULAR_SHARE = 0.2

ARRIVALS = {9: 3, 10: 5, 11: 7, 12: 14, 13: 11, 14: 6, 15: 6, 16: 8, 17: 14, 18: 15, 19: 8, 20: 3}
"""Weight of each local hour: people come at lunch and after work."""

_CAMERAS: tuple[tuple[str, Place, str], ...] = (
    ("Entrance north", "entrance", "Entrance"),
    ("Entrance car park", "entrance", "Entrance"),
    ("Aisle 1 fruit", "aisle", "Fresh food"),
    ("Aisle 2 bakery", "aisle", "Fresh food"),
    ("Aisle 3 drinks", "aisle", "Dry goods"),
    ("Aisle 4 household", "aisle", "Dry goods"),
    ("Cashier 1", "cashier", "Cashier queue"),
    ("Cashier 2", "cashier", "Cashier queue"),
)

_AGE_GROUPS = {"10-19": 8, "20-29": 20, "30-39": 22, "40-49": 18, "50-59": 14, "60-69": 10, "70-": 5}
_UNDECIDED = {"not_determined": 6, "inconclusive": 2, "": 2}


@dataclass(frozen=True, slots=True)
class Camera:
    camera_id: str
    description: str
    place: Place
    zone: str
    zone_id: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """`age_group` and `gender` are what the vendor would write, undecided and blank included."""

    person_id: str
    age_group: str
    gender: str


@dataclass(frozen=True, slots=True)
class Shop:
    cameras: tuple[Camera, ...]
    regulars: tuple[Person, ...]

    def at(self, place: Place) -> list[Camera]:
        return [camera for camera in self.cameras if camera.place == place]


def make_shop(seed: int) -> Shop:
    """The same seed gives the same cameras and regulars on every day."""
    rng = Random(f"shop {seed}")  # noqa: S311
    zones: dict[str, str] = {}
    cameras = []
    for number, (description, place, zone) in enumerate(_CAMERAS):
        zone_id = zones.setdefault(zone, make_id(rng))
        cameras.append(Camera(make_id(rng), description, place, zone, zone_id, f"Server{number // 4 + 1}"))
    return Shop(tuple(cameras), tuple(make_person(rng) for _ in range(REGULARS)))


def make_person(rng: Random) -> Person:
    age_groups, genders = _AGE_GROUPS | _UNDECIDED, {"female": 46, "male": 44} | _UNDECIDED
    return Person(make_id(rng), _pick(rng, age_groups), _pick(rng, genders))


def make_id(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def arrival_hour(rng: Random) -> int:
    return rng.choices(list(ARRIVALS), list(ARRIVALS.values()))[0]


def _pick(rng: Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
