"""The alerts of one camera, kept by the hour in which each opened and, within it, by whom they are of.

A value holds every 64th rule and subject of an hour: one value an hour would be written whole for each new alert.
"""

from collections.abc import Callable, Collection, Iterator
from zlib import crc32

import msgspec
from msgspec.structs import replace

from services.common.events.alerts import Alert
from services.common.kept import read_kept
from services.insights.domain.rules import end_of
from services.insights.domain.spans import HOUR, micros

LOOK_BACK_HOURS = 24
"""An alert that opened earlier than this before the time in question is not found again, unless it is open."""

PARTS = 64
"""Of an hour. Part of the state's layout."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Alert])

Owner = tuple[str, str | None]
"""Rule and subject."""

Place = tuple[int, int]
"""Hour and part."""

Open = tuple[int, int, str, int]
"""Of an open alert: its place, its rule, and its end so far in microseconds."""


def _owner_of(alert: Alert) -> Owner:
    return alert.rule_id, alert.subject_id


def _part_of(owner: Owner) -> int:
    rule_id, subject_id = owner
    return crc32(f"{rule_id} {subject_id or ''}".encode()) % PARTS


class AlertBook:
    """Reads values through `read` and changes alerts in memory; `open_alerts` has what must be known of open ones.

    `changed` gives those that any change has been made to; in the end they may be as they were.
    """

    def __init__(self, read: Callable[[Place], bytes | None], open_alerts: dict[str, Open]) -> None:
        self._read = read
        self._values: dict[Place, dict[str, Alert]] = {}
        self._place_of: dict[str, Place] = {}
        self._owned: dict[Owner, set[str]] = {}
        self._changed: set[str] = set()
        self._unwritten: set[Place] = set()
        self.open_alerts = open_alerts

    def look_up(self, owner: Owner, start: int, end: int, cooldown_seconds: float) -> None:
        """Have the owner's alerts at hand that matter to ``[start, end]`` (microseconds)."""
        part = _part_of(owner)
        back = LOOK_BACK_HOURS + int(cooldown_seconds // 3_600)
        for hour in range(start // HOUR - back, end // HOUR + 1):
            self._load((hour, part))

    def of(self, owner: Owner) -> list[Alert]:
        return [self._get(alert_id) for alert_id in sorted(self._owned.get(owner, ()))]

    def overlapping(self, owner: Owner, start: int, end: int) -> list[Alert]:
        return [alert for alert in self.of(owner) if micros(alert.event_time) <= end and micros(end_of(alert)) >= start]

    def open_of(self, rule_id: str) -> Alert | None:
        """The open alert of a rule that has no more than one at a camera."""
        for alert_id, (hour, part, known, _) in self.open_alerts.items():
            if known == rule_id:
                self._load((hour, part))
                return self._get(alert_id)
        return None

    def over(self, rule_ids: Collection[str], until: int) -> list[Alert]:
        """The open alerts that ended before `until` (microseconds), and those of other rules than these."""
        found = []
        for alert_id, (hour, part, rule_id, end) in self.open_alerts.items():
            if end < until or rule_id not in rule_ids:
                self._load((hour, part))
                found.append(self._get(alert_id))
        return sorted(found, key=lambda alert: alert.alert_id)

    def put(self, alert: Alert) -> None:
        new = micros(alert.event_time) // HOUR, _part_of(_owner_of(alert))
        place = self._place_of.get(alert.alert_id, new)
        self._load(place)
        known = self._values[place].get(alert.alert_id)
        if known != alert:
            self._changed.add(alert.alert_id)
            self._keep(place, alert)
            self._unwritten.add(place)
        if alert.status == "open":
            self.open_alerts[alert.alert_id] = (*place, alert.rule_id, micros(end_of(alert)))
        else:
            self.open_alerts.pop(alert.alert_id, None)

    def changed(self, revision: int) -> list[Alert]:
        """What to tell, at the revision."""
        told = []
        for alert_id in sorted(self._changed):
            alert = replace(self._get(alert_id), revision=revision)
            self._keep(self._place_of[alert_id], alert)
            told.append(alert)
        return told

    def writes(self) -> Iterator[tuple[Place, bytes]]:
        for place in sorted(self._unwritten):
            yield place, _ENCODER.encode(list(self._values[place].values()))

    def _get(self, alert_id: str) -> Alert:
        return self._values[self._place_of[alert_id]][alert_id]

    def _load(self, place: Place) -> None:
        if place in self._values:
            return
        self._values[place] = {}
        value = self._read(place)
        for alert in read_kept(_DECODER, value) if value is not None else []:
            self._keep(place, alert)

    def _keep(self, place: Place, alert: Alert) -> None:
        self._values[place][alert.alert_id] = alert
        self._place_of[alert.alert_id] = place
        self._owned.setdefault(_owner_of(alert), set()).add(alert.alert_id)
