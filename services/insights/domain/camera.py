"""One camera: what its sessions and insight events and the passing of time change, and what is told of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from services.common.events.alerts import Alert, AlertRule
from services.common.events.common import stable_id
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session
from services.insights.domain.alertbook import AlertBook
from services.insights.domain.merge import merged, newer, refer
from services.insights.domain.occupancy import changed_minutes
from services.insights.domain.slots import Slots
from services.insights.domain.spans import Span
from services.insights.domain.watch import watch_dwell, watch_occupancy, watch_time


class _Kept(msgspec.Struct):
    """Revisions of the last records applied, the greatest told, and the hour in which each open alert opened."""

    sessions_revision: int = 0
    insights_revision: int = 0
    told_insights: int = 0
    told_alerts: int = 0
    open_hours: dict[str, int] = {}


@dataclass(slots=True)
class Outputs:
    minutes: list[OccupancyMinute] = field(default_factory=list)
    insights: list[MergedInsight] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


_ENCODER = msgspec.msgpack.Encoder()
_KEPT = msgspec.msgpack.Decoder(_Kept)
_INSIGHT = msgspec.msgpack.Decoder(InsightEvent)


class Camera:
    """Steps over one camera's state, which is read value by value through `read` and changed in memory.

    In this order: the `claim` is written, the outputs are delivered, the `writes` are written. A crash may keep any
    first part of it: every value stands for itself, and the same records again complete the rest.

    The claim is for what depends on more than one topic. After a crash their records come again in another order, and
    the sum of two offsets could then repeat a revision that is out in the world already, over other content.
    """

    def __init__(
        self, camera_id: str, read: Callable[[str], bytes | None], *, window_seconds: float, gap: timedelta
    ) -> None:
        self._camera_id = camera_id
        self._read = read
        self._window_seconds = window_seconds
        self._gap = gap
        kept = read("camera")
        self._durable = _KEPT.decode(kept) if kept else _Kept()
        self._kept = _KEPT.decode(kept) if kept else _Kept()
        self._slots = Slots(lambda slot: read(f"slot:{slot}"))
        self._alerts = AlertBook(lambda hour: read(f"alerts:{hour}"), self._kept.open_hours)
        self._insights: dict[str, InsightEvent] = {}

    def on_sessions(
        self,
        sessions: Iterable[Session],
        *,
        revision: int,
        rules: Sequence[AlertRule],
        now: datetime,
        processed_at: datetime,
    ) -> Outputs:
        """Take session revisions in, but for partial ones: what such a session comes to is told by the whole record
        that follows. `now` is the time of the record, `processed_at` the clock's."""
        self._begin_step()
        self._kept.sessions_revision = max(self._kept.sessions_revision, revision)
        whole = (session for session in sessions if not session.partial)
        taken = [span for session in whole if (span := self._slots.take(Span.of(session)))]
        watch_dwell(self._alerts, self._slots, rules, self._camera_id, taken, processed_at)
        watch_occupancy(self._alerts, self._slots, rules, self._camera_id, self._gap, processed_at)
        return Outputs(
            minutes=changed_minutes(self._slots, self._camera_id, self._kept.sessions_revision),
            insights=self._changed_insights(),
            alerts=self._changed_alerts(rules, now),
        )

    def on_insights(self, events: Iterable[InsightEvent], *, revision: int) -> Outputs:
        """Take reports of insight events in, and merge those that are new or say something new."""
        self._begin_step()
        self._kept.insights_revision = max(self._kept.insights_revision, revision)
        told: dict[str, MergedInsight] = {}
        for report in events:
            known = self._insight(report.insight_id)
            event = newer(known, report)
            refer(self._slots, event, self._window_seconds)
            if event != known:
                self._insights[event.insight_id] = event
                told[event.insight_id] = self._merged(event)
        return Outputs(insights=self._tell_insights(list(told.values())))

    def on_time(self, *, rules: Sequence[AlertRule], now: datetime) -> Outputs:
        """Let time pass: alerts end also when nobody comes any more."""
        self._begin_step()
        return Outputs(alerts=self._changed_alerts(rules, now))

    @property
    def has_open_alerts(self) -> bool:
        return bool(self._kept.open_hours)

    def claim(self) -> Iterator[tuple[str, bytes]]:
        kept, durable = self._kept, self._durable
        if (kept.told_insights, kept.told_alerts) != (durable.told_insights, durable.told_alerts):
            claimed = replace(durable, told_insights=kept.told_insights, told_alerts=kept.told_alerts)
            yield "camera", _ENCODER.encode(claimed)

    def writes(self) -> Iterator[tuple[str, bytes]]:
        for slot, value in self._slots.writes():
            yield f"slot:{slot}", value
        for hour, value in self._alerts.writes():
            yield f"alerts:{hour}", value
        for insight_id, event in self._insights.items():
            yield _insight_key(insight_id), _ENCODER.encode(event)
        if self._kept != self._durable:
            yield "camera", _ENCODER.encode(self._kept)

    def _begin_step(self) -> None:
        self._slots.begin_step()
        self._alerts.begin_step()

    def _changed_insights(self) -> list[MergedInsight]:
        touched = {insight_id for slot in self._slots.changed() for insight_id in self._slots.insights(slot)}
        told = []
        for insight_id in sorted(touched):
            event = self._insight(insight_id)
            if event and (now := self._merged(event)) != self._merged(event, before=True):
                refer(self._slots, event, self._window_seconds)
                told.append(now)
        return self._tell_insights(told)

    def _merged(self, event: InsightEvent, *, before: bool = False) -> MergedInsight:
        return merged(self._slots, event, window_seconds=self._window_seconds, before=before)

    def _tell_insights(self, told: list[MergedInsight]) -> list[MergedInsight]:
        if not told:
            return []
        kept = self._kept
        kept.told_insights = max(kept.told_insights + 1, kept.sessions_revision + kept.insights_revision)
        return [replace(one, revision=kept.told_insights) for one in told]

    def _changed_alerts(self, rules: Sequence[AlertRule], now: datetime) -> list[Alert]:
        watch_time(self._alerts, rules, self._gap, now)
        revision = max(self._kept.told_alerts + 1, self._kept.sessions_revision)
        told = self._alerts.changed(revision)
        if told:
            self._kept.told_alerts = revision
        return told

    def _insight(self, insight_id: str) -> InsightEvent | None:
        if insight_id in self._insights:
            return self._insights[insight_id]
        value = self._read(_insight_key(insight_id))
        return _INSIGHT.decode(value) if value else None


def _insight_key(insight_id: str) -> str:
    return f"insight:{stable_id(insight_id)}"
