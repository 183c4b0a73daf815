"""People walking past cameras, made up from a seed: reports as several sources would tell them."""

import random
from datetime import UTC, datetime, timedelta

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.common import OTHER
from services.common.events.insights import InsightEvent

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAMERAS = tuple(f"cam-{number}" for number in range(6))
PEOPLE = 40


def reports(seed: int, appearances: int) -> list[Appearance]:
    """Two reports an appearance, the later ones longer and some of them naming the person, all in any order."""
    rng = random.Random(seed)
    told = []
    for number in range(appearances):
        key = f"a{number}"
        person = f"p{rng.randrange(PEOPLE)}" if rng.random() < 0.7 else None
        started_at = START + timedelta(seconds=rng.randrange(20_000), microseconds=rng.randrange(1_000_000))
        for report in range(2):
            named = person if report or rng.random() < 0.5 else None
            told.append(
                Appearance(
                    appearance_key=key,
                    camera_id=CAMERAS[number % len(CAMERAS)],
                    subject_id=subject_id_of(named, None, key),
                    started_at=started_at,
                    ended_at=started_at + timedelta(seconds=rng.choice([0, 5, 30, 90]) * (report + 1)),
                    reported_at=started_at + timedelta(seconds=report),
                    source="test",
                    person_id=named,
                    age_group=rng.choice([OTHER, "adult"]),
                )
            )
    rng.shuffle(told)
    return told


def insights(seed: int, count: int) -> list[InsightEvent]:
    rng = random.Random(seed)
    return [
        InsightEvent(
            insight_id=f"i{number}",
            kind="crowd",
            camera_id=CAMERAS[number % len(CAMERAS)],
            started_at=(at := START + timedelta(seconds=rng.randrange(20_000), microseconds=rng.randrange(1_000_000))),
            reported_at=at,
            source="test",
            duration_seconds=float(rng.choice([0, 20])),
            subject_id=rng.choice([None, f"p{rng.randrange(PEOPLE)}"]),
        )
        for number in range(count)
    ]
