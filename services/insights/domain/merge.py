"""Insight events merged with the occupancy around them."""

from collections.abc import Sequence

from services.common.events.common import canonical_json
from services.common.events.insights import InsightEvent, MergedInsight
from services.insights.domain.occupancy import sweep
from services.insights.domain.slots import Slots, slots_of
from services.insights.domain.spans import HOUR, SECOND, Span, instant, micros

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
    own = _own_session(slots, event, before=False)
    if own:
        slots.refer(slots_of(own.started_at, own.started_at)[0], event.insight_id)


def merged(slots: Slots, event: InsightEvent, *, window_seconds: float, before: bool = False) -> MergedInsight:
    """The event with the sessions around it as they are, or as they were before the step; without a revision yet.

    The window is read half-open, as occupancy is: a session is in it where ``started_at < end`` and
    ``ended_at > begin``, one of zero length where ``begin <= started_at < end``.
    """
    begin, end = window(event, window_seconds)
    baseline_start = begin - BASELINE
    spans = slots.between(baseline_start, end, before=before)
    levels = sweep(spans, begin, end)
    at = micros(event.started_at)
    inside = sum(_in_window(span, begin, end) for span in spans)
    own = _own_session(slots, event, before=before)
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
        occupancy_at_event=sum(span.started_at <= at < span.ended_at for span in spans),
        occupancy_peak=max((level.count for level in levels), default=0),
        occupancy_avg=_busy(spans, begin, end) / (end - begin) if end > begin else 0.0,
        baseline_avg=_busy(spans, baseline_start, begin) / BASELINE,
        sessions_in_window=inside,
        session_id=own.session_id if own else None,
        session_dwell_seconds=own.dwell_seconds if own else None,
        match="matched" if inside else "no_occupancy",
        revision=0,
        raw=event.raw,
    )


def _own_session(slots: Slots, event: InsightEvent, *, before: bool) -> Span | None:
    """The known subject's session that overlaps the event, ends included; of several the one that overlaps longest,
    then the earliest."""
    if event.subject_id is None:
        return None
    start, end = _interval(event)
    own = [
        slots.latest(span, before=before)
        for span in slots.between(start, end, before=before)
        if span.subject_id == event.subject_id and span.started_at <= end and span.ended_at >= start
    ]
    return min(own, key=lambda span: (-_overlap(span, start, end), span.started_at, span.session_id), default=None)


def _interval(event: InsightEvent) -> tuple[int, int]:
    start = micros(event.started_at)
    return start, start + round(event.duration_seconds * SECOND)


def _in_window(span: Span, begin: int, end: int) -> bool:
    if span.started_at == span.ended_at:
        return begin <= span.started_at < end
    return span.started_at < end and span.ended_at > begin


def _busy(spans: Sequence[Span], start: int, end: int) -> int:
    return sum(_overlap(span, start, end) for span in spans)


def _overlap(span: Span, start: int, end: int) -> int:
    return max(min(span.ended_at, end) - max(span.started_at, start), 0)
