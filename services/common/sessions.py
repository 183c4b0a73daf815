"""What the appearances of one subject at one camera amount to, by the definition of a session."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from services.common.events.appearances import MergedAppearance
from services.common.events.common import OTHER, stable_id
from services.common.events.sessions import Session

Grouped = list[list[MergedAppearance]]
"""Sessions of one subject in order, each its appearances by (start, key)."""

by_start = attrgetter("started_at", "appearance_key")


def split(appearances: Iterable[MergedAppearance], gap: timedelta) -> Grouped:
    """Sessions of one subject's appearances: each joins the running one when it starts at most `gap` after its end."""
    groups: Grouped = []
    running_end: datetime | None = None
    for seen in sorted(appearances, key=by_start):
        if running_end is not None and seen.started_at - running_end <= gap:
            groups[-1].append(seen)
            running_end = max(running_end, seen.ended_at)
        else:
            groups.append([seen])
            running_end = seen.ended_at
    return groups


def session_of(camera_id: str, subject_id: str, group: Sequence[MergedAppearance], revision: int) -> Session:
    """The active session that the appearances, in order of their start, amount to."""
    started_at = ended_at = group[0].started_at
    hidden = timedelta()
    age_group = gender = OTHER
    age_rank = gender_rank = (started_at, "")
    for seen in group:
        rank = (seen.ended_at, seen.appearance_key)
        if seen.age_group != OTHER and rank > age_rank:
            age_group, age_rank = seen.age_group, rank
        if seen.gender != OTHER and rank > gender_rank:
            gender, gender_rank = seen.gender, rank
        if seen.ended_at > ended_at:
            if seen.started_at > ended_at:
                hidden += seen.started_at - ended_at
            ended_at = seen.ended_at
    dwell = ended_at - started_at
    return Session(
        session_id=session_id_of(camera_id, subject_id, group),
        camera_id=camera_id,
        subject_id=subject_id,
        started_at=started_at,
        ended_at=ended_at,
        dwell_seconds=dwell.total_seconds(),
        visible_seconds=(dwell - hidden).total_seconds(),
        appearance_count=len(group),
        age_group=age_group,
        gender=gender,
        status="active",
        revision=revision,
    )


def session_id_of(camera_id: str, subject_id: str, group: Sequence[MergedAppearance]) -> str:
    return stable_id(camera_id, subject_id, group[0].appearance_key)


def end_of(group: Sequence[MergedAppearance]) -> datetime:
    end = group[0].ended_at
    for seen in group:
        if seen.ended_at > end:
            end = seen.ended_at
    return end
