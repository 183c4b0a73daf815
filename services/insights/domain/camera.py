"""One camera: what its sessions and insight events and the passing of time change, and what is told of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from services.common.events.alerts import Alert, AlertRule
from services.common.events.cameras import Camera as Heartbeat
from services.common.events.common import stable_id
from services.common.events.insights import InsightEvent, MergedInsight
from services.common.events.sessions import OccupancyMinute, Session
from services.common.kept import read_kept
from services.insights.domain.alertbook import AlertBook, Open, Place
from services.insights.domain.merge import merged, refer, touched
from services.insights.domain.occupancy import touched_minutes
from services.insights.domain.reported import Reported, decoded, encoded, event_of, with_report
from services.insights.domain.slots import Slots
from services.insights.domain.spans import Span, micros
from services.insights.domain.watch import watch_dwell, watch_occupancy, watch_silence, watch_time


class _Kept(msgspec.Struct):
    """When this state began, in milliseconds; how many records of each topic are applied; the greatest revision of an
    insight or alert told; the greatest that may have been; and when the camera last saw anybody, in microseconds."""

    began: int = 0
    sessions_revision: int = 0
    insights_revision: int = 0
    told: int = 0
    claimed: int = 0
    seen: int = 0


@dataclass(slots=True)
class Outputs:
    minutes: list[OccupancyMinute] = field(default_factory=list)
    insights: list[MergedInsight] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


CLAIMED_REVISIONS = 500
"""At once: a claim is a write that the outputs wait for. Every start of a process may waste as many, half a second's
worth."""

_ENCODER = msgspec.msgpack.Encoder()
_NONE_OPEN = _ENCODER.encode({})
_KEPT = msgspec.msgpack.Decoder(_Kept)
_OPEN_ALERTS = msgspec.msgpack.Decoder(dict[str, Open])


class Camera:
    """Steps over one camera's state, which is read value by value through `read` and changed in memory.

    After any number of records, in this order: the `outputs` are taken, the `claim` is written, the outputs are
    delivered, the `writes` are written. A crash may keep any first part of it: every value stands for itself, and the
    same records again, however cut, complete the rest.

    Minutes follow from the session records so far, so the number of these is their revision, and they are told record
    by record: after a crash the same again. Insights and alerts depend on both topics, whose records then come in
    another order. The sum of their numbers could repeat a revision that is out in the world already, over other
    content, so revisions are claimed before they are told; and they are counted from the time at which the state began,
    because the records that make up a lost state again come in yet another order.

    `written` has the value of each camera that this process wrote last. From any other value it does not follow what
    was told before a crash, so all that was claimed counts as told.
    """

    def __init__(
        self,
        camera_id: str,
        read: Callable[[str], bytes | None],
        *,
        window_seconds: float,
        gap: timedelta,
        written: dict[str, bytes],
    ) -> None:
        self._camera_id = camera_id
        self._read = read
        self._window_seconds = window_seconds
        self._gap = gap
        self._written = written
        value = read("camera")
        self._durable = read_kept(_KEPT, value) if value is not None else _Kept()
        self._kept = copy(self._durable)
        if value is not written.get(camera_id):
            self._kept.told = self._durable.claimed
        self._slots = Slots(camera_id, read)
        self._open_alerts = read("open")
        open_alerts = {} if self._open_alerts is None else read_kept(_OPEN_ALERTS, self._open_alerts)
        self._alerts = AlertBook(lambda place: read(_alerts_key(place)), open_alerts)
        self._insights: dict[str, Reported] = {}
        self._withdrawn: dict[str, InsightEvent] = {}
        self._minutes: list[OccupancyMinute] = []
        self._subjects: set[str | None] = set()

    def on_sessions(
        self,
        sessions: Iterable[Session],
        *,
        revision: int,
        rules: Sequence[AlertRule],
        now: datetime,
        processed_at: datetime,
    ) -> None:
        """Take a record of session revisions in, but for partial ones: what such a session comes to is told by the
        whole record that follows. `now` is the time of the record, `processed_at` the clock's."""
        self._slots.begin_step()
        self._kept.sessions_revision = max(self._kept.sessions_revision, revision)
        whole = (session for session in sessions if not session.partial)
        taken = [span for session in whole if (span := self._slots.take(Span.of(session)))]
        self._subjects.update(span.subject_id for span in taken)
        watch_dwell(self._alerts, self._slots, rules, self._camera_id, taken, processed_at)
        watch_occupancy(self._alerts, self._slots, rules, self._camera_id, self._gap, processed_at)
        self.on_time(rules=rules, now=now)
        self._minutes += touched_minutes(self._slots, self._camera_id, self._kept.sessions_revision)

    def on_insights(self, events: Iterable[InsightEvent], *, revision: int) -> None:
        """Take reports of insight events in, and withdrawals."""
        self._kept.insights_revision = max(self._kept.insights_revision, revision)
        for report in events:
            known = self._reported(report.insight_id)
            now = with_report(known, report)
            event = event_of(now)
            if event:
                refer(self._slots, event, self._window_seconds)
            else:
                self._withdrawn[report.insight_id] = report
            if now != known:
                self._insights[report.insight_id] = now

    def on_time(self, *, rules: Sequence[AlertRule], now: datetime) -> None:
        """Let time pass: alerts end also when nobody comes any more."""
        watch_time(self._alerts, rules, self._gap, now)

    def on_heartbeats(
        self, heartbeats: Iterable[Heartbeat], *, rules: Sequence[AlertRule], now: datetime, processed_at: datetime
    ) -> None:
        """Take in what the sources tell of the camera; several may, and the newest sighting counts."""
        for heartbeat in heartbeats:
            if heartbeat.last_seen_at is not None:
                self._kept.seen = max(self._kept.seen, micros(heartbeat.last_seen_at))
        self.on_silence(rules=rules, now=now, processed_at=processed_at)

    def on_silence(self, *, rules: Sequence[AlertRule], now: datetime, processed_at: datetime) -> None:
        """Let time pass in which all that the sources told is known: cameras that see nobody fall silent."""
        if self._kept.seen:
            watch_silence(self._alerts, rules, self._camera_id, self._kept.seen, now, processed_at)

    def outputs(self, processed_at: datetime) -> Outputs:
        """All that was touched, insights and alerts once, whether or not they are as they were before: a crash may have
        cut the records otherwise the time before, and what came between been told."""
        kept = self._kept
        kept.began = kept.began or micros(processed_at) // 1_000
        revision = max(kept.told + 1, kept.began + kept.sessions_revision + kept.insights_revision)
        outputs = Outputs(minutes=self._minutes)
        for insight_id in sorted(self._slots.insights() | self._insights.keys() | self._withdrawn.keys()):
            event = event_of(self._reported(insight_id))
            if event and (insight_id in self._insights or self._touched(event)):
                refer(self._slots, event, self._window_seconds)
                outputs.insights.append(replace(self._merged(event), revision=revision))
            elif event is None and insight_id in self._withdrawn:
                gone = self._merged(self._withdrawn[insight_id])
                outputs.insights.append(replace(gone, revision=revision, withdrawn=True))
        outputs.alerts = self._alerts.changed(revision)
        if outputs.insights or outputs.alerts:
            kept.told = revision
        return outputs

    @property
    def ages(self) -> bool:
        """Whether the mere passing of time may change it: alerts are open, or it may fall silent."""
        return bool(self._alerts.open_alerts) or self._kept.seen > 0

    def claim(self) -> Iterator[tuple[str, bytes]]:
        if self._kept.told > self._durable.claimed:
            self._kept.claimed = self._kept.told + CLAIMED_REVISIONS
            claimed = replace(self._durable, began=self._kept.began, claimed=self._kept.claimed)
            yield "camera", _ENCODER.encode(claimed)

    def writes(self) -> Iterator[tuple[str, bytes]]:
        yield from self._slots.writes()
        for place, value in self._alerts.writes():
            yield _alerts_key(place), value
        open_alerts = _ENCODER.encode(self._alerts.open_alerts)
        if open_alerts != (self._open_alerts or _NONE_OPEN):
            yield "open", open_alerts
        for insight_id, reported in self._insights.items():
            yield _insight_key(insight_id), encoded(reported)
        if self._kept != self._durable:
            value = self._written[self._camera_id] = _ENCODER.encode(self._kept)
            yield "camera", value

    def _touched(self, event: InsightEvent) -> bool:
        return touched(self._slots, event, self._window_seconds, self._subjects)

    def _merged(self, event: InsightEvent) -> MergedInsight:
        return merged(self._slots, event, window_seconds=self._window_seconds)

    def _reported(self, insight_id: str) -> Reported:
        if insight_id in self._insights:
            return self._insights[insight_id]
        value = self._read(_insight_key(insight_id))
        return decoded(value) if value is not None else {}


def _alerts_key(place: Place) -> str:
    hour, part = place
    return f"alerts:{hour}:{part}"


def _insight_key(insight_id: str) -> str:
    return f"insight:{stable_id(insight_id)}"
