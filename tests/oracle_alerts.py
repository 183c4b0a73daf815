"""The oracle's alerts: in the end every stay and every crowd that breaks a rule has one that says just so."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from services.common.events.alerts import AlertRule


class Breach(NamedTuple):
    """A time in which a rule was broken; of a crowd `measured` is the most people at once, of a stay its seconds."""

    rule_id: str
    camera_id: str
    session_id: str | None
    event_time: datetime
    ended_at: datetime | None
    measured: float


def breaches(rule: AlertRule, sessions: pd.DataFrame, gap: pd.Timedelta) -> set[Breach]:
    """All of the rule's, over the sessions in the end; crowds that lie at most the gap apart are one."""
    if rule.kind == "dwell_exceeded":
        return set(_stays(rule, sessions))
    return {crowd for _, of_camera in sessions.groupby("camera_id") for crowd in _crowds(rule, of_camera, gap)}


def _stays(rule: AlertRule, sessions: pd.DataFrame) -> Iterator[Breach]:
    for stay in _rows(sessions):
        if stay.dwell_seconds > rule.threshold:
            since = stay.started_at + pd.Timedelta(seconds=rule.threshold)
            yield Breach(rule.rule_id, stay.camera_id, stay.session_id, since, stay.ended_at, stay.dwell_seconds)


def _crowds(rule: AlertRule, sessions: pd.DataFrame, gap: pd.Timedelta) -> list[Breach]:
    """From the level at every instant at which it can change."""
    changes = sessions["started_at"].value_counts().sub(sessions["ended_at"].value_counts(), fill_value=0)
    levels: list[Any] = list(changes.sort_index().cumsum().items())
    runs: list[list[Any]] = []
    for (start, level), (end, _) in pairwise(levels):
        if level <= rule.threshold:
            continue
        if runs and start - runs[-1][1] <= gap:
            runs[-1][1:] = end, max(runs[-1][2], level)
        else:
            runs.append([start, end, level])
    return [Breach(rule.rule_id, sessions["camera_id"].iloc[0], None, *run) for run in runs]


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())
