from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from services.common.events.common import EARLIEST, LATEST
from services.common.events.insights import InsightEvent
from services.insights.domain.admission import refusal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVENT = InsightEvent(
    insight_id="i", kind="crowd", camera_id="c1", started_at=NOON, reported_at=NOON, source="upload:1#2"
)


def reason(key: str | None = "c1", **fields: object) -> str | None:
    found = refusal(msgspec.structs.replace(EVENT, **fields), key, DAY)
    return found[0] if found else None


def test_an_event_as_long_as_the_limit_is_taken_and_a_longer_one_refused() -> None:
    assert reason(duration_seconds=86_400) is None
    assert reason(duration_seconds=86_400.5) == "implausible_dwell"


@pytest.mark.parametrize("key", [None, "c2"])
def test_an_event_under_another_key_is_refused(key: str | None) -> None:
    assert reason(key) == "schema_violation"


@pytest.mark.parametrize(
    "instant",
    [
        EARLIEST - timedelta(microseconds=1),
        LATEST + timedelta(microseconds=1),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
    ],
)
def test_a_start_outside_the_years_of_cameras_is_refused(instant: datetime) -> None:
    assert reason(started_at=instant) == "bad_timestamp"
    assert reason(started_at=instant, duration_seconds=3_600) == "bad_timestamp"


def test_an_end_after_the_years_of_cameras_is_refused() -> None:
    assert reason(started_at=LATEST) is None
    assert reason(started_at=LATEST, duration_seconds=1) == "bad_timestamp"
