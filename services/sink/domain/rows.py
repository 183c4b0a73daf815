"""From items to rows: what the reports of one batch, and of all batches before it, amount to.

Every merge here is commutative, associative and idempotent: order, repetition and the cut into batches change nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from services.common.events.appearances import Appearance, MergedAppearance, Naming
from services.common.events.cameras import Camera
from services.common.events.common import canonical_json, origin_of
from services.common.events.insights import MergedInsight
from services.common.kafka.envelopes import UNREADABLE

LIVE_SOURCE = "corsight:"
"""Sources of this kind tell of now; what an upload tells says nothing of when a camera was last alive."""

BEFORE_ANY_REPORT = datetime(1970, 1, 1, tzinfo=UTC)
"""Rank of a description that holds only until anybody else describes the camera."""

T = TypeVar("T")


def newest(items: Iterable[T], key: Callable[[T], Hashable], revision: Callable[[T], Any]) -> list[T]:
    """Of each key the item with the greatest revision; among equals the first, as the database keeps it too."""
    found: dict[Hashable, T] = {}
    for item in items:
        known = found.get(key(item))
        if known is None or revision(item) > revision(known):
            found[key(item)] = item
    return list(found.values())


class AppearanceRow(Struct, frozen=True):
    """All reports of one appearance; `source` and `extra` are those of the report that gives the demographics.

    `extra` is JSON, by `canonical_extra`. `first_revision` is what session records carry that know of the first report.
    """

    camera_id: str
    merged: MergedAppearance
    source: str
    extra: str
    first_revision: int

    @property
    def key(self) -> tuple[str, str]:
        return self.camera_id, self.merged.appearance_key

    @property
    def origin(self) -> str:
        return origin_of(self.source)

    @classmethod
    def of(cls, report: Appearance, revision: int) -> "AppearanceRow":
        return cls(
            report.camera_id, MergedAppearance.of(report), report.source, canonical_extra(report.extra), revision
        )

    def merge(self, other: "AppearanceRow") -> "AppearanceRow":
        a, b = self.merged.reported_at, other.merged.reported_at
        latest = (self if a > b else other) if a != b else max(self, other, key=_rank_of_equals)
        return AppearanceRow(
            self.camera_id,
            self.merged.merge(other.merged),
            latest.source,
            latest.extra,
            min(self.first_revision, other.first_revision),
        )


def _rank_of_equals(row: AppearanceRow) -> tuple[str, str, str]:
    demographics = {"age_group": row.merged.age_group, "gender": row.merged.gender}
    return canonical_json(demographics), row.source, row.extra


def canonical_extra(extra: dict[str, Any] | Raw) -> str:
    """Equal for all that mean the same, such as what was reported and what jsonb made of it."""
    text = msgspec.json.encode(extra)
    try:
        return canonical_json(msgspec.json.decode(text))
    except UNREADABLE:
        # A number that PostgreSQL can hold and Python's float cannot.
        return text.decode()


class CameraRow(Struct, frozen=True):
    """What is known of a camera; each descriptive field holds the latest value that any report gave it."""

    camera_id: str
    description: Naming | None = None
    camera_group: Naming | None = None
    department: Naming | None = None
    division: Naming | None = None
    zone: Naming | None = None
    heartbeat: Naming | None = None
    last_seen_at: datetime | None = None

    @property
    def key(self) -> str:
        return self.camera_id

    @classmethod
    def of(cls, item: Appearance | Camera | MergedInsight) -> "CameraRow":
        if isinstance(item, Appearance):
            return cls._described(item, item.camera_description, item.reported_at, _seen_live(item))
        if isinstance(item, Camera):
            row = cls._described(item, item.description, item.heartbeat_at, item.last_seen_at)
            return row.merge(cls(item.camera_id, heartbeat=Naming(item.heartbeat_at, item.source)))
        description = item.raw.get("camera_description")
        named = Naming(BEFORE_ANY_REPORT, description) if description and isinstance(description, str) else None
        return cls(item.camera_id, description=named)

    @classmethod
    def _described(
        cls, item: Appearance | Camera, description: str | None, at: datetime, last_seen_at: datetime | None
    ) -> "CameraRow":
        def named(value: str | None) -> Naming | None:
            return Naming(at, value) if value else None

        return cls(
            item.camera_id,
            description=named(description),
            camera_group=named(item.camera_group),
            department=named(item.department),
            division=named(item.division),
            zone=named(item.zone),
            last_seen_at=last_seen_at,
        )

    def merge(self, other: "CameraRow") -> "CameraRow":
        seen = [row.last_seen_at for row in (self, other) if row.last_seen_at]
        return CameraRow(
            self.camera_id,
            description=_latest(self.description, other.description),
            camera_group=_latest(self.camera_group, other.camera_group),
            department=_latest(self.department, other.department),
            division=_latest(self.division, other.division),
            zone=_latest(self.zone, other.zone),
            heartbeat=_latest(self.heartbeat, other.heartbeat),
            last_seen_at=max(seen, default=None),
        )


def cameras_of(reports: Iterable[Appearance]) -> Iterator[CameraRow]:
    """What the reports tell of their cameras: one row for all that say the same, which nearly all do."""
    latest: dict[tuple[str | bool | None, ...], Appearance] = {}
    for report in reports:
        said = (
            report.camera_id,
            report.camera_description,
            report.camera_group,
            report.department,
            report.division,
            report.zone,
        )
        known = latest.get(said)
        if known is None or report.reported_at > known.reported_at:
            latest[said] = report
        if report.source.startswith(LIVE_SOURCE):
            of_live = (True, report.camera_id)
            known = latest.get(of_live)
            if known is None or report.ended_at > known.ended_at:
                latest[of_live] = report
    return map(CameraRow.of, latest.values())


def _seen_live(report: Appearance) -> datetime | None:
    return report.ended_at if report.source.startswith(LIVE_SOURCE) else None


def _latest(a: Naming | None, b: Naming | None) -> Naming | None:
    if a is None or b is None:
        return a or b
    return max(a, b, key=lambda naming: (naming.reported_at, naming.name))


Row = TypeVar("Row", AppearanceRow, CameraRow)


def merged(rows: Iterable[Row]) -> dict[Any, Row]:
    """One row a key."""
    found: dict[Any, Row] = {}
    for row in rows:
        known = found.get(row.key)
        found[row.key] = known.merge(row) if known else row
    return found


def changed(rows: Mapping[Any, Row], stored: Mapping[Any, Row]) -> list[Row]:
    """The rows merged with what is stored, without those that are stored just so already."""
    written = {key: stored[key].merge(row) if key in stored else row for key, row in rows.items()}
    return [row for key, row in written.items() if stored.get(key) != row]
