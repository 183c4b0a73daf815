"""Alert rules: the episodes in which a rule is broken, and the alerts that follow them.

An episode of `dwell_exceeded` is a session longer than the threshold, from the instant at which it became so to its
end. One of `occupancy_exceeded` is a run of time with more people than the threshold, to the microsecond; runs that lie
at most the camera's session gap apart are one episode, as appearances are one session. One of `camera_silent` is the
time beyond the threshold in which a camera saw nobody, as far as the live sources tell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from services.common.events.alerts import Alert, AlertRule
from services.common.events.common import isoformat, stable_id
from services.insights.domain.levels import Levels
from services.insights.domain.spans import MICROSECOND, SECOND, Span, instant

DWELL_EXCEEDED = "dwell_exceeded"
OCCUPANCY_EXCEEDED = "occupancy_exceeded"
CAMERA_SILENT = "camera_silent"

LIVE_AFTER = timedelta(minutes=10)
"""An event that is older than this when it is processed is history."""

SILENCE_TOLD = timedelta(seconds=60)
"""A silence that lasts is told of again when it has grown by the threshold, but not more often than this."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a rule was broken, and by how much; `cut` says that it may go beyond what was looked at."""

    started_at: datetime
    ended_at: datetime
    measured: float
    subject_id: str | None = None
    session_id: str | None = None
    cut: bool = False


def applies(rule: AlertRule, camera_id: str) -> bool:
    return rule.enabled and not rule.deleted and (not rule.camera_ids or camera_id in rule.camera_ids)


def dwell_episodes(rule: AlertRule, sessions: Iterable[Span]) -> list[Episode]:
    """One episode a session that is longer than the threshold; measured in seconds."""
    return [
        Episode(
            started_at=instant(span.started_at + round(rule.threshold * SECOND)),
            ended_at=instant(span.ended_at),
            measured=span.dwell_seconds,
            subject_id=span.subject_id,
            session_id=span.session_id,
        )
        for span in sorted(sessions, key=lambda span: (span.started_at, span.session_id))
        if span.active and span.dwell_seconds > rule.threshold
    ]


def occupancy_episodes(rule: AlertRule, levels: Levels, gap: timedelta) -> list[Episode]:
    """The runs with more people than the threshold, joined over the gap; measured in people, the most at once."""
    return [
        Episode(
            started_at=instant(run.start),
            ended_at=instant(run.end),
            measured=float(run.peak),
            cut=run.start == levels.times[0] or run.end == levels.times[-1],
        )
        for run in levels.runs_above(rule.threshold, gap // MICROSECOND)
    ]


def silence(
    rule: AlertRule,
    camera_id: str,
    alert: Alert | None,
    *,
    earlier: Sequence[Alert],
    seen_at: datetime,
    now: datetime,
    processed_at: datetime,
) -> Alert | None:
    """The rule's open alert as it is now, or the one that opens now; `seen_at` is when the camera last saw anybody.

    Within the cooldown after one of the `earlier` alerts none opens, but a silence that outlasts it opens one then.
    """
    threshold = timedelta(seconds=rule.threshold)
    if alert is not None:
        if now - seen_at > threshold:
            return _still_silent(rule, alert, seen_at, now)
        ended_at = max(seen_at, alert.event_time)
        measured = (ended_at - alert.event_time).total_seconds() + alert.threshold
        return resolved(replace(alert, ended_at=ended_at, measured=max(measured, alert.measured)))
    cooldown = timedelta(seconds=rule.cooldown_seconds)
    started_at = max([seen_at + threshold, *(end_of(one) + cooldown for one in earlier)])
    if now <= started_at:
        return None
    episode = Episode(started_at=started_at, ended_at=now, measured=(now - seen_at).total_seconds())
    opened = _open(rule, camera_id, episode, processed_at)
    return None if opened.alert_id in {one.alert_id for one in earlier} else opened


def _still_silent(rule: AlertRule, alert: Alert, seen_at: datetime, now: datetime) -> Alert:
    measured = (now - seen_at).total_seconds()
    if measured < alert.measured + max(rule.threshold, SILENCE_TOLD.total_seconds()):
        return alert
    return replace(
        alert,
        severity=rule.severity,
        threshold=rule.threshold,
        rule_version=rule.version,
        rule_name=rule.name,
        measured=measured,
        ended_at=now,
    )


def reconcile(
    rule: AlertRule,
    camera_id: str,
    known: Sequence[Alert],
    episodes: Sequence[Episode],
    *,
    earlier: Iterable[Alert],
    processed_at: datetime,
) -> list[Alert]:
    """The alerts as the episodes make them, of which those that differ from `known` are to be told.

    `known` are the rule's alerts (of one subject) that overlap the time in which the episodes are complete, `earlier`
    those that may have ended shortly before. An alert follows the episode that it overlaps, wherever late data moves
    that one's start; of several the one that broke the rule first does, and the others end. An episode that no alert
    follows opens one, unless it begins within the cooldown after another alert's end. An alert whose episode is gone
    ends. What is resolved stays resolved.
    """
    unclaimed = sorted(known, key=lambda alert: (alert.event_time, alert.alert_id))
    ended = [*known, *earlier]
    taken = {alert.alert_id for alert in ended}
    result: list[Alert] = []
    for episode in sorted(episodes, key=lambda episode: episode.started_at):
        claimed = [alert for alert in unclaimed if _overlap(alert, episode)]
        unclaimed = [alert for alert in unclaimed if alert not in claimed]
        if claimed:
            result.append(_follow(rule, claimed[0], episode))
            result += map(resolved, claimed[1:])
            continue
        if not _in_cooldown(rule, episode, ended):
            opened = _open(rule, camera_id, episode, processed_at)
            # An alert whose episode has split may have opened at the very instant at which the second half begins.
            while opened.alert_id in taken:
                opened = replace(opened, alert_id=stable_id(opened.alert_id))
            result.append(opened)
            ended.append(opened)
            taken.add(opened.alert_id)
    return result + [resolved(alert) for alert in unclaimed]


def resolved(alert: Alert) -> Alert:
    return replace(alert, status="resolved")


def end_of(alert: Alert) -> datetime:
    return alert.ended_at or alert.event_time


def _open(rule: AlertRule, camera_id: str, episode: Episode, processed_at: datetime) -> Alert:
    return Alert(
        alert_id=stable_id(rule.rule_id, camera_id, episode.subject_id or "", isoformat(episode.started_at)),
        kind=rule.kind,
        severity=rule.severity,
        camera_id=camera_id,
        event_time=episode.started_at,
        measured=episode.measured,
        threshold=rule.threshold,
        rule_id=rule.rule_id,
        rule_version=rule.version,
        rule_name=rule.name,
        status="open",
        live=processed_at - episode.started_at <= LIVE_AFTER,
        revision=0,
        subject_id=episode.subject_id,
        session_id=episode.session_id,
        ended_at=episode.ended_at,
    )


def _follow(rule: AlertRule, alert: Alert, episode: Episode) -> Alert:
    started_at, ended_at, measured = episode.started_at, episode.ended_at, episode.measured
    if episode.cut:
        started_at = min(started_at, alert.event_time)
        ended_at = max(ended_at, end_of(alert))
        measured = max(measured, alert.measured)
    return replace(
        alert,
        severity=rule.severity,
        event_time=started_at,
        measured=measured,
        threshold=rule.threshold,
        rule_version=rule.version,
        rule_name=rule.name,
        session_id=episode.session_id,
        ended_at=ended_at,
    )


def _overlap(alert: Alert, episode: Episode) -> bool:
    return alert.event_time <= episode.ended_at and end_of(alert) >= episode.started_at


def _in_cooldown(rule: AlertRule, episode: Episode, ended: Iterable[Alert]) -> bool:
    cooldown = timedelta(seconds=rule.cooldown_seconds)
    return any(end_of(alert) <= episode.started_at <= end_of(alert) + cooldown for alert in ended)
