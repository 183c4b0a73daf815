"""Facts as the sink would have stored them, put into PostgreSQL by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.common.events.common import OTHER, stable_id
from services.common.events.insights import MergedInsight

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def session(subject: str, camera: str, start: float, dwell: float, **changed: Any) -> dict[str, Any]:
    """A session that starts some seconds after `NOON`."""
    started_at = NOON + timedelta(seconds=start)
    return {
        "session_id": stable_id(camera, subject, str(start)),
        "camera_id": camera,
        "subject_id": subject,
        "started_at": started_at,
        "ended_at": started_at + timedelta(seconds=dwell),
        "dwell_seconds": float(dwell),
        "visible_seconds": float(dwell),
        "appearance_count": 1,
        "age_group": OTHER,
        "gender": OTHER,
        "status": "active",
        "revision": 1,
        **changed,
    }


def appearance(subject: str, camera: str, start: float, **changed: Any) -> dict[str, Any]:
    at = NOON + timedelta(seconds=start)
    return {
        "camera_id": camera,
        "appearance_key": stable_id(subject, camera, str(start)),
        "subject_id": subject,
        "started_at": at,
        "ended_at": at,
        "reported_at": at,
        "age_group": OTHER,
        "gender": OTHER,
        "source": "test",
        "extra": {},
        **changed,
    }


def alert(alert_id: str, camera: str, at: float, **changed: Any) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "kind": "dwell_exceeded",
        "severity": "medium",
        "camera_id": camera,
        "event_time": NOON + timedelta(seconds=at),
        "measured": 700.0,
        "threshold": 600.0,
        "rule_id": "r1",
        "rule_version": 1,
        "rule_name": "Long stay",
        "status": "open",
        "live": True,
        "revision": 1,
        **changed,
    }


def insight(insight_id: str, camera: str, at: float, **changed: Any) -> dict[str, Any]:
    started_at = NOON + timedelta(seconds=at)
    return {
        "insight_id": insight_id,
        "kind": "crowd",
        "camera_id": camera,
        "started_at": started_at,
        "duration_seconds": 0.0,
        "age_group": OTHER,
        "gender": OTHER,
        "source": "test",
        "window_started_at": started_at - timedelta(minutes=5),
        "window_ended_at": started_at + timedelta(minutes=5),
        "occupancy_at_event": 3,
        "occupancy_peak": 4,
        "occupancy_avg": 2.5,
        "baseline_avg": 1.0,
        "sessions_in_window": 6,
        "match": "matched",
        "revision": 7,
        "raw": {"event_id": insight_id},
        **changed,
    }


def merged_insight(insight_id: str, camera: str, at: float, **changed: Any) -> MergedInsight:
    """The record from which `insight` is stored."""
    unknown = dict.fromkeys(("subject_id", "people_count", "severity", "session_id", "session_dwell_seconds"))
    return msgspec.convert({**unknown, **insight(insight_id, camera, at, **changed)}, MergedInsight)


async def store(db: asyncpg.Pool, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    columns = sorted({name for row in rows for name in row})
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await db.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
        [[row.get(name) for name in columns] for row in rows],
    )
