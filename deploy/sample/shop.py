"""The shop of the sample: the cameras that the simulated feed has too, and who comes when."""

import uuid
from dataclasses import dataclass
from datetime import time
from random import Random
from typing import Literal

from services.ingest.layout import CAMERAS, CASHIERS, ENTRANCES, ShopCamera

Place = Literal["entrance", "aisle", "cashier"]

OPENS = time(9)
CLOSES = time(21)

VISITS = 560
"""A day; they make about 5,000 appearances."""

REGULARS = 150
"""People who come on many days; `REGULAR_SHARE` of a day's visitors are of them."""
REGULAR_SHARE = 0.2

ARRIVALS = {9: 3, 10: 5, 11: 7, 12: 14, 13: 11, 14: 6, 15: 6, 16: 8, 17: 14, 18: 15, 19: 8, 20: 3}
"""Weight of each local hour: people come at lunch and after work."""

_AGE_GROUPS = {"10-19": 8, "20-29": 20, "30-39": 22, "40-49": 18, "50-59": 14, "60-69": 10, "70-": 5}
_UNDECIDED = {"not_determined": 6, "inconclusive": 2, "": 2}


@dataclass(frozen=True, slots=True)
class Camera:
    shown: ShopCamera
    place: Place
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
    """The same seed gives the same regulars on every day."""
    rng = Random(f"shop {seed}")  # noqa: S311
    zones: dict[str, str] = {}
    cameras = []
    for number, shown in enumerate(CAMERAS):
        place: Place = "entrance" if shown in ENTRANCES else "cashier" if shown in CASHIERS else "aisle"
        zone_id = zones.setdefault(shown.zone, make_id(rng))
        cameras.append(Camera(shown, place, zone_id, f"Server{number // 4 + 1}"))
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
