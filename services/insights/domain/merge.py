"""Insight events merged with the occupancy around them."""

from collections.abc import Container

from services.common.events.common import canonical_json
from services.common.events.insights import InsightEvent, MergedInsight
from services.insights.domain.slots import Slots, slots_of
from services.insights.domain.spans import HOUR, SECOND, SLOT, Span, instant, micros

BASELINE = HOUR


def newer(known: InsightEvent | None, report: InsightEvent) -> InsightEvent:
    """Which of two reports of one insight holds: the later reported, on a tie the greater canonical JSON."""
    if known is None:
        return report
    return max(known, report, key=lambda event: (event.reported_at, canonical_json(event)))


def window(event: InsightEvent, window_seconds: float) -> tuple[int, int]:
    """Start and end of the event's window, in microseconds."""
    start, end = _interval(event)
    margin = round(window_seconds * SECOND)
    return start - margin, end + margin


def refer(slots: Slots, event: InsightEvent, window_seconds: float) -> None:
    """Let every session that can change the merge lead to the event: through its window, the hour before, and the
    home of the subject's own session, which may have begun long before and still grow long after."""
    begin, end = window(event, window_seconds)
    for slot in slots_of(begin - BASELINE, end):
        slots.refer(slot, event.insight_id)
    own = _own_session(slots, event)
    if own:
        slots.refer(slots_of(own.started_at, own.started_at)[0], event.insight_id)


def touched(slots: Slots, event: InsightEvent, window_seconds: float, subjects: Container[str | None]) -> bool:
    """Whether sessions changed about the event, or one of its subject's, given the subjects whose sessions changed."""
    begin, end = window(event, window_seconds)
    return event.subject_id in subjects or slots.touched_between(begin - BASELINE, end)


def merged(slots: Slots, event: InsightEvent, *, window_seconds: float) -> MergedInsight:
    """The event with the sessions around it; without a revision yet.

    Both its ends belong to the window: a session is in it where it is there at some instant of ``[begin, end]``, one of
    zero length where it starts there.
    """
    begin, end = window(event, window_seconds)
    # Instants are whole microseconds: one more is what makes the end belong to it.
    levels = slots.levels(begin, end + 1)
    inside = _sessions_in(slots, begin, end + 1)
    own = _own_session(slots, event)
    return MergedInsight(
        insight_id=event.insight_id,
        kind=event.kind,
        camera_id=event.camera_id,
        started_at=event.started_at,
        duration_seconds=event.duration_seconds,
        subject_id=event.subject_id,
        people_count=event.people_count,
        severity=event.severity,
        age_group=event.age_group,
        gender=event.gender,
        source=event.source,
        window_started_at=instant(begin),
        window_ended_at=instant(end),
        occupancy_at_event=levels.at(micros(event.started_at)),
        occupancy_peak=levels.peak,
        occupancy_avg=slots.busy(begin, end) / (end - begin),
        baseline_avg=slots.busy(begin - BASELINE, begin) / BASELINE,
        sessions_in_window=inside,
        session_id=own.session_id if own else None,
        session_dwell_seconds=own.dwell_seconds if own else None,
        match="matched" if inside else "no_occupancy",
        revision=0,
        raw=event.raw,
    )


def _own_session(slots: Slots, event: InsightEvent) -> Span | None:
    """The known subject's session that overlaps the event, ends included; of several the one that overlaps longest,
    then the earliest."""
    if event.subject_id is None:
        return None
    start, end = _interval(event)
    own = slots.of_subject(event.subject_id, start, end)
    return min(own, key=lambda span: (-_overlap(span, start, end), span.started_at, span.session_id), default=None)


def _interval(event: InsightEvent) -> tuple[int, int]:
    start = micros(event.started_at)
    return start, start + round(event.duration_seconds * SECOND)


def _sessions_in(slots: Slots, begin: int, end: int) -> int:
    """Sessions in ``[begin, end)``: of the first slot all that start before `end` and are not over by `begin`, of the
    others those that start there."""
    first = begin // SLOT
    picture = slots.picture(first)
    counted = picture.starting_in(0, end) - picture.over_by(begin)
    for slot in slots_of((first + 1) * SLOT, end - 1):
        counted += slots.picture(slot).starting_in(slot * SLOT, end)
    return counted


def _overlap(span: Span, start: int, end: int) -> int:
    return max(min(span.ended_at, end) - max(span.started_at, start), 0)
