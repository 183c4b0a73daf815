"""The alerts of one camera, kept by the hour in which each opened."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from services.common.events.alerts import Alert
from services.insights.domain.rules import end_of
from services.insights.domain.spans import HOUR, micros

LOOK_BACK_HOURS = 24
"""An alert that opened earlier than this before the time in question is not found again, unless it is open."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Alert])

Owner = tuple[str, str | None]
"""Rule and subject."""


class AlertBook:
    """Reads hours through `read` and changes alerts in memory; `open_hours` maps each open alert to its hour.

    `changed` gives those that any change has been made to; in the end they may be as they were.
    """

    def __init__(self, read: Callable[[int], bytes | None], open_hours: dict[str, int]) -> None:
        self._read = read
        self._hours: dict[int, dict[str, Alert]] = {}
        self._hour_of: dict[str, int] = {}
        self._owned: dict[Owner, set[str]] = {}
        self._changed: set[str] = set()
        self._unwritten: set[int] = set()
        self.open_hours = open_hours

    def look_up(self, start: int, end: int, cooldown_seconds: float) -> None:
        """Have the alerts at hand that matter to ``[start, end]`` (microseconds)."""
        back = LOOK_BACK_HOURS + int(cooldown_seconds // 3_600)
        for hour in range(start // HOUR - back, end // HOUR + 1):
            if hour not in self._hours:
                self._load(hour)

    def of(self, owner: Owner) -> list[Alert]:
        return [self._get(alert_id) for alert_id in sorted(self._owned.get(owner, ()))]

    def overlapping(self, owner: Owner, start: int, end: int) -> list[Alert]:
        return [alert for alert in self.of(owner) if micros(alert.event_time) <= end and micros(end_of(alert)) >= start]

    def open(self) -> list[Alert]:
        for hour in set(self.open_hours.values()):
            if hour not in self._hours:
                self._load(hour)
        return [self._get(alert_id) for alert_id in sorted(self.open_hours)]

    def put(self, alert: Alert) -> None:
        hour = self._hour_of.get(alert.alert_id, micros(alert.event_time) // HOUR)
        if hour not in self._hours:
            self._load(hour)
        known = self._hours[hour].get(alert.alert_id)
        if known != alert:
            self._changed.add(alert.alert_id)
            self._keep(hour, alert)
            self._unwritten.add(hour)
        if alert.status == "open":
            self.open_hours[alert.alert_id] = hour
        else:
            self.open_hours.pop(alert.alert_id, None)

    def changed(self, revision: int) -> list[Alert]:
        """What to tell, at the revision."""
        told = []
        for alert_id in sorted(self._changed):
            alert = replace(self._get(alert_id), revision=revision)
            self._keep(self._hour_of[alert_id], alert)
            told.append(alert)
        return told

    def writes(self) -> Iterator[tuple[int, bytes]]:
        for hour in sorted(self._unwritten):
            yield hour, _ENCODER.encode(list(self._hours[hour].values()))

    def _get(self, alert_id: str) -> Alert:
        return self._hours[self._hour_of[alert_id]][alert_id]

    def _load(self, hour: int) -> None:
        self._hours[hour] = {}
        value = self._read(hour)
        for alert in _DECODER.decode(value) if value else []:
            self._keep(hour, alert)

    def _keep(self, hour: int, alert: Alert) -> None:
        self._hours[hour][alert.alert_id] = alert
        self._hour_of[alert.alert_id] = hour
        self._owned.setdefault((alert.rule_id, alert.subject_id), set()).add(alert.alert_id)
