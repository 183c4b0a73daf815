"""The insight report that fits the day: crowds where the sightings peak, loitering where somebody stayed long."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from deploy.sample.shop import Camera, Person, make_id
from deploy.sample.visits import Sighting

SESSION_GAP = timedelta(seconds=60)

CROWDS_PER_CAMERA = 3
CROWD_APART = timedelta(minutes=45)
CROWD_LEAST = 4
"""People; fewer at once are no crowd."""

LOITERING_SECONDS = 600.0


@dataclass(slots=True)
class Stay:
    camera: Camera
    person: Person
    started_at: datetime
    ended_at: datetime


def make_report(sightings: list[Sighting], day: str, seed: int) -> list[dict[str, Any]]:
    """Insight elements by start, in the vendor's field names; times are epoch seconds."""
    rng = Random(f"insights {seed} {day}")  # noqa: S311
    stays = stays_of(sightings)
    report = [_loitering(rng, stay) for stay in stays if _seconds(stay) > LOITERING_SECONDS]
    by_camera: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        by_camera[stay.camera.shown.camera_id].append(stay)
    for of_camera in by_camera.values():
        report += _crowds(rng, of_camera)
    return sorted(report, key=lambda element: (element["utc_time_recorded"], element["event_id"]))


def stays_of(sightings: list[Sighting]) -> list[Stay]:
    """Sightings of one person on one camera that lie no further apart than the session gap, as one."""
    stays: list[Stay] = []
    open_stays: dict[tuple[str, str], Stay] = {}
    for sighting in sorted(sightings, key=lambda sighting: sighting.started_at):
        key = (sighting.camera.shown.camera_id, sighting.person.person_id)
        stay = open_stays.get(key)
        if stay and sighting.started_at - stay.ended_at <= SESSION_GAP:
            stay.ended_at = max(stay.ended_at, sighting.ended_at)
            continue
        stay = Stay(sighting.camera, sighting.person, sighting.started_at, sighting.ended_at)
        open_stays[key] = stay
        stays.append(stay)
    return stays


def _loitering(rng: Random, stay: Stay) -> dict[str, Any]:
    return {
        **_common(rng, "loitering", stay.camera, stay.started_at, _seconds(stay)),
        "person_id": stay.person.person_id,
        "loitering_duration": _seconds(stay),
        "gender": stay.person.gender or None,
        "age_group": stay.person.age_group or None,
        "severity": "high" if _seconds(stay) > 1.5 * LOITERING_SECONDS else "medium",
    }


def _crowds(rng: Random, stays: list[Stay]) -> list[dict[str, Any]]:
    """The fullest moments of one camera, well apart from each other."""
    fullness = sorted(((_present(stays, stay.started_at), stay.started_at) for stay in stays), reverse=True)
    crowds: list[dict[str, Any]] = []
    taken: list[datetime] = []
    for people, at in fullness:
        if people < CROWD_LEAST or len(crowds) == CROWDS_PER_CAMERA:
            break
        if any(abs(at - other) < CROWD_APART for other in taken):
            continue
        taken.append(at)
        ends = [stay.ended_at for stay in stays if stay.started_at <= at < stay.ended_at]
        lasts = (min(ends) - at).total_seconds()
        crowds.append(
            {
                **_common(rng, "crowd", stays[0].camera, at, lasts),
                "people_count": people,
                "duration_seconds": lasts,
                "severity": "high" if people >= 2 * CROWD_LEAST else "medium",
            }
        )
    return crowds


def _present(stays: list[Stay], at: datetime) -> int:
    return sum(stay.started_at <= at < stay.ended_at for stay in stays)


def _common(rng: Random, kind: str, camera: Camera, at: datetime, lasts: float) -> dict[str, Any]:
    started = round(at.timestamp(), 3)
    return {
        "event_id": make_id(rng),
        "kind": kind,
        "camera_id": camera.shown.camera_id,
        "camera_description": camera.shown.description,
        "utc_time_recorded": started,
        "save_insight_time": round(started + lasts + rng.uniform(2, 12), 3),
    }


def _seconds(stay: Stay) -> float:
    return (stay.ended_at - stay.started_at).total_seconds()
