"""Looking at what changed with the eyes of the alert rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from services.common.events.alerts import AlertRule
from services.insights.domain.alertbook import AlertBook
from services.insights.domain.rules import (
    CAMERA_SILENT,
    DWELL_EXCEEDED,
    OCCUPANCY_EXCEEDED,
    Episode,
    dwell_episodes,
    end_of,
    occupancy_episodes,
    reconcile,
    resolved,
    silence,
)
from services.insights.domain.slots import Slots
from services.insights.domain.spans import HOUR, MICROSECOND, MINUTE, SLOT, Span, instant, micros

EPISODE_LIMIT = 24 * HOUR
"""How far from a change an occupancy episode is followed, each way: one that never ends must not cost more and more."""


def watch_dwell(
    alerts: AlertBook,
    slots: Slots,
    rules: Sequence[AlertRule],
    camera_id: str,
    changed: Iterable[Span],
    processed_at: datetime,
) -> None:
    """Bring the dwell alerts of the subjects whose sessions changed up to date."""
    by_subject: dict[str, list[Span]] = {}
    for span in changed:
        by_subject.setdefault(span.subject_id, []).append(span)
    for rule in rules:
        if rule.kind != DWELL_EXCEEDED:
            continue
        for subject_id, spans in by_subject.items():
            start, end = min(span.started_at for span in spans), max(span.reach for span in spans)
            owner = (rule.rule_id, subject_id)
            alerts.look_up(owner, start, end, rule.cooldown_seconds)
            known = alerts.overlapping(owner, start, end)
            if not known and not dwell_episodes(rule, spans):
                continue
            start = min([start, *(micros(alert.event_time) for alert in known)])
            end = max([end, *(micros(end_of(alert)) for alert in known)])
            sessions = slots.of_subject(subject_id, start, end)
            # Whole sessions, so that an unchanged one finds the alert that it has.
            start = min([start, *(session.started_at for session in sessions)])
            end = max([end, *(session.ended_at for session in sessions)])
            _put(alerts, rule, camera_id, owner, (start, end), dwell_episodes(rule, sessions), processed_at)


def watch_occupancy(
    alerts: AlertBook,
    slots: Slots,
    rules: Sequence[AlertRule],
    camera_id: str,
    gap: timedelta,
    processed_at: datetime,
) -> None:
    """Bring the occupancy alerts about the minutes that changed up to date."""
    for rule in rules:
        if rule.kind == OCCUPANCY_EXCEEDED:
            owner = (rule.rule_id, None)
            for start, end in _stretches(slots.touched_minutes()):
                alerts.look_up(owner, start, end, rule.cooldown_seconds)
                (begin, until), episodes = _whole_episodes(alerts, slots, rule, gap, start, end)
                _put(alerts, rule, camera_id, owner, (begin, until), episodes, processed_at)


def watch_silence(
    alerts: AlertBook, rules: Sequence[AlertRule], camera_id: str, seen: int, now: datetime, processed_at: datetime
) -> None:
    """Bring the alerts up to date that tell of a camera which last saw somebody at `seen` (microseconds)."""
    for rule in rules:
        if rule.kind != CAMERA_SILENT:
            continue
        owner = (rule.rule_id, None)
        known = alerts.open_of(rule.rule_id)
        if known is None:
            alerts.look_up(owner, seen, micros(now), rule.cooldown_seconds)
        alert = silence(
            rule,
            camera_id,
            known,
            earlier=alerts.of(owner),
            seen_at=instant(seen),
            now=now,
            processed_at=processed_at,
        )
        if alert is not None:
            alerts.put(alert)


def watch_time(alerts: AlertBook, rules: Sequence[AlertRule], gap: timedelta, now: datetime) -> None:
    """Resolve the open alerts whose episode is over, and those whose rule is no more. A silence ends otherwise."""
    silences = {rule.rule_id for rule in rules if rule.kind == CAMERA_SILENT}
    for alert in alerts.over({rule.rule_id for rule in rules}, micros(now - gap)):
        if alert.rule_id not in silences:
            alerts.put(resolved(alert))


def _put(
    alerts: AlertBook,
    rule: AlertRule,
    camera_id: str,
    owner: tuple[str, str | None],
    interval: tuple[int, int],
    episodes: Sequence[Episode],
    processed_at: datetime,
) -> None:
    known = alerts.overlapping(owner, *interval)
    for alert in reconcile(rule, camera_id, known, episodes, earlier=alerts.of(owner), processed_at=processed_at):
        alerts.put(alert)


def _whole_episodes(
    alerts: AlertBook, slots: Slots, rule: AlertRule, gap: timedelta, start: int, end: int
) -> tuple[tuple[int, int], list[Episode]]:
    """The time about ``[start, end)`` in which every episode and every known alert lies whole, and the episodes in it.

    What is looked at grows until nothing comes near its bounds; steps double, so that a long crowd takes few rounds.
    """
    earliest, latest = start - EPISODE_LIMIT, end + EPISODE_LIMIT
    margin = gap // MICROSECOND
    step = SLOT
    while True:
        known = alerts.overlapping((rule.rule_id, None), start, end)
        begin = min([start, *(micros(alert.event_time) - margin - 1 for alert in known)])
        until = max([end, *(micros(end_of(alert)) + margin + 1 for alert in known)])
        begin, until = max(begin, earliest), min(until, latest)
        episodes = occupancy_episodes(rule, slots.levels(begin, until), gap)
        if episodes and micros(episodes[0].started_at) - begin <= margin:
            begin = max(begin - step, earliest)
        if episodes and until - micros(episodes[-1].ended_at) <= margin:
            until = min(until + step, latest)
        if (begin, until) == (start, end):
            return (start, end), episodes
        start, end, step = begin, until, step * 2


def _stretches(touched: Iterable[tuple[int, list[int]]]) -> list[tuple[int, int]]:
    """Start and end, in microseconds, of the touched minutes, given in order; those of neighbouring slots together."""
    stretches: list[tuple[int, int]] = []
    for slot, minutes in touched:
        start, end = slot * SLOT + minutes[0] * MINUTE, slot * SLOT + (minutes[-1] + 1) * MINUTE
        if stretches and stretches[-1][1] >= slot * SLOT:
            start, _ = stretches.pop()
        stretches.append((start, end))
    return stretches
