"""What PostgreSQL holds and what the oracle says, in one shape, so that a test can compare them whole.

Averages are cut at nine digits: how a sum of parts was ordered may show in the last ones. All else is exact.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import msgspec
import pandas as pd

from services.common.events.appearances import Appearance
from services.common.topics import Topic
from tests import oracle
from tests.support.kafka import log_ends
from tests.support.waiting import wait_until

Rows = dict[Any, tuple[Any, ...]]
T = TypeVar("T")

SESSION = (
    "session_id", "camera_id", "subject_id", "started_at", "ended_at", "dwell_seconds", "visible_seconds",
    "appearance_count", "age_group", "gender",
)  # fmt: skip
MINUTE = ("camera_id", "minute", "occupancy_avg", "occupancy_peak", "entries", "exits")
INSIGHT = (
    "insight_id", "kind", "camera_id", "window_started_at", "window_ended_at", "occupancy_at_event", "occupancy_peak",
    "occupancy_avg", "baseline_avg", "sessions_in_window", "session_id", "session_dwell_seconds", "match",
)  # fmt: skip
AVERAGES = ("occupancy_avg", "baseline_avg")


def expected(frame: pd.DataFrame, columns: Collection[str]) -> Rows:
    """A table of the oracle's, by its first column; of minutes, by camera and minute."""
    return keyed([{name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")], columns)


def sessions_of(reports: Iterable[Appearance], gap: timedelta) -> Rows:
    """What the reports amount to."""
    accepted = [msgspec.to_builtins(report) for report in reports]
    found = oracle.sessions(oracle.appearances(oracle.reports(accepted)), gap.total_seconds())
    return expected(found, SESSION)


async def sessions(pool: asyncpg.Pool, cameras: Collection[str]) -> Rows:
    query = "SELECT * FROM sessions WHERE status = 'active' AND camera_id = ANY($1)"
    return keyed(await pool.fetch(query, list(cameras)), SESSION)


async def minutes(pool: asyncpg.Pool, cameras: Collection[str]) -> Rows:
    """Minutes in which anything was; one that a correction emptied is no different from one that never was."""
    query = "SELECT * FROM occupancy_minutes WHERE camera_id = ANY($1) AND (occupancy_avg > 0 OR entries + exits > 0)"
    return keyed(await pool.fetch(query, list(cameras)), MINUTE)


async def insights(pool: asyncpg.Pool, cameras: Collection[str]) -> Rows:
    return keyed(await pool.fetch("SELECT * FROM insights WHERE camera_id = ANY($1)", list(cameras)), INSIGHT)


async def becomes(read: Callable[[], Awaitable[T]], wanted: T, timeout: float = 60.0) -> None:  # noqa: ASYNC109
    """Wait until what is read is what is wanted, and show the difference when it does not come to that."""
    found = await read()

    async def equal() -> bool:
        nonlocal found
        found = await read()
        return found == wanted

    try:
        await wait_until(equal, timeout)
    except AssertionError:
        assert found == wanted


async def written(pool: asyncpg.Pool, kafka: str, *topics: Topic) -> None:
    """Wait until the database has read the topics to their ends."""

    async def to_the_end() -> bool:
        query = "SELECT partition, next_offset FROM sink_offsets WHERE topic = $1 AND next_offset > 0"
        found = [{row[0]: row[1] for row in await pool.fetch(query, topic)} for topic in topics]
        return found == [await log_ends(kafka, topic) for topic in topics]

    await wait_until(to_the_end, 60)


def _plain(value: Any) -> Any:
    """As the database driver gives it: a datetime, and None for what is absent."""
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def keyed(rows: list[Any], columns: Collection[str]) -> Rows:
    first, second, *_ = columns
    return {
        (row[first], row[second]): tuple(
            round(row[column], 9) if column in AVERAGES else row[column] for column in columns
        )
        for row in rows
    }
