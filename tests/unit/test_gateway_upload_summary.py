"""What one file holds: the oracle's numbers, computed on compact columns."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.insights import InsightEvent
from services.gateway.models import UploadSummary
from services.gateway.uploads import summary
from services.gateway.uploads.summary import SummaryBuilder
from tests import oracle

START = datetime(2026, 10, 24, 21, tzinfo=UTC)


def seen(key: str, start: float, end: float, **fields: Any) -> Appearance:
    """An appearance of p1 at c1, some seconds after `START`."""
    named = {"person_id": "p1", "camera_id": "c1", "poi_id": None, **fields}
    ended_at = START + timedelta(seconds=end)
    return Appearance(
        appearance_key=key,
        subject_id=subject_id_of(named["person_id"], named["poi_id"], key),
        started_at=START + timedelta(seconds=start),
        ended_at=ended_at,
        reported_at=named.pop("reported_at", ended_at),
        source="upload:x#1",
        **named,
    )


def summarise(*items: Appearance, zone: str = "UTC", gaps: dict[str, float] | None = None) -> UploadSummary:
    builder = SummaryBuilder(ZoneInfo(zone), lambda camera_id: (gaps or {}).get(camera_id, 60.0))
    for item in items:
        builder.add_appearances([item])
    found = builder.build()
    assert found is not None
    return found


def test_recorded_video_is_not_summed_up() -> None:
    found = summarise(seen("a", 0, 10), seen("b", 500, 900, extra={"analysis_mode": "forensics"}))
    assert (found.sessions, found.appearances, found.dwell_max_seconds) == (1, 1, 10.0)


def test_appearances_at_most_the_gap_apart_are_one_session() -> None:
    found = summarise(seen("a", 0, 10), seen("b", 70, 80), seen("c", 140.000001, 150))
    assert (found.sessions, found.appearances, found.visitors) == (2, 3, 1)
    assert found.dwell_max_seconds == 80.0
    assert found.dwell_avg_seconds == pytest.approx(44.9999995)


def test_a_short_appearance_inside_a_long_one_does_not_split_the_session() -> None:
    assert summarise(seen("a", 0, 500), seen("b", 10, 20), seen("c", 540, 550)).sessions == 1


def test_the_gap_of_a_camera_overrides_the_common_one() -> None:
    assert summarise(seen("a", 0, 10), seen("b", 70, 80), gaps={"c1": 5.0}).sessions == 2


def test_occupancy_counts_all_cameras_and_ends_come_before_starts() -> None:
    found = summarise(
        seen("a", 0, 100, person_id="p1"),
        seen("b", 50, 150, person_id="p2", camera_id="c2"),
        seen("c", 100, 200, person_id="p3"),
        seen("d", 120, 120, person_id="p4"),
    )
    assert (found.occupancy_peak, found.cameras) == (2, 2)


def test_the_peak_hour_is_in_the_zone_of_the_upload() -> None:
    found = summarise(seen("a", 0, 10), seen("b", 3_600, 3_610), seen("c", 3_700, 3_710), zone="Asia/Kolkata")
    assert found.peak_hour is not None
    assert found.peak_hour.isoformat() == "2026-10-25T03:00:00+05:30"


def test_reports_of_one_appearance_count_once_and_the_latest_name_holds() -> None:
    found = summarise(
        seen("a", 5, 50, person_id=None),
        seen("a", 0, 40, person_id="late", reported_at=START + timedelta(seconds=90)),
        seen("a", 10, 60, person_id="early", reported_at=START + timedelta(seconds=80)),
        seen("b", 70, 80, person_id="late"),
    )
    assert (found.appearances, found.sessions, found.visitors, found.dwell_max_seconds) == (2, 1, 1, 80.0)


@pytest.mark.parametrize("seed", range(20))
def test_any_file_gives_the_numbers_of_the_oracle(seed: int) -> None:
    dice = random.Random(seed)
    items = []
    for _ in range(dice.randint(1, 120)):
        start = dice.randrange(0, 20_000) + dice.choice([0, 0.5, 0.000001])
        person = dice.choice([None, *(f"p{n}" for n in range(8))])
        items.append(
            seen(
                f"k{dice.randrange(80)}",
                start,
                start + dice.choice([0, 1, 30, 59.999999, 60, 700]),
                person_id=person,
                poi_id=dice.choice([None, "x", "y"]),
                camera_id=f"c{dice.randrange(3)}",
                reported_at=START + timedelta(seconds=dice.randrange(5)),
            )
        )
    reports = oracle.reports([msgspec.to_builtins(item) for item in items])
    sessions = oracle.sessions(oracle.appearances(reports), gap_overrides={"c2": 5.0})
    expected = oracle.summary(sessions, zone="Europe/Berlin")
    found = summarise(*items, zone="Europe/Berlin", gaps={"c2": 5.0}).model_dump()
    for name in ("visitors", "sessions", "appearances", "occupancy_peak"):
        assert found[name] == expected[name], name
    for name in ("dwell_avg_seconds", "dwell_median_seconds", "dwell_p95_seconds", "dwell_max_seconds"):
        assert found[name] == pytest.approx(expected[name]), name
    assert found["started_at"] == sessions["started_at"].min()
    assert found["ended_at"] == sessions["ended_at"].max()


def test_an_insight_report_counts_its_events_once_each() -> None:
    builder = SummaryBuilder(UTC, lambda camera_id: 60.0)
    event = InsightEvent(
        insight_id="i1",
        kind="loitering",
        camera_id="c1",
        started_at=START,
        reported_at=START,
        source="upload:x#1",
        duration_seconds=90.0,
    )
    builder.add_insights([event, event, msgspec.structs.replace(event, insight_id="i2", camera_id="c2")])
    found = builder.build()
    assert found is not None
    assert (found.insights, found.cameras, found.appearances, found.dwell_avg_seconds) == (2, 2, 0, None)
    assert (found.started_at, found.ended_at) == (START, START + timedelta(seconds=90))


def test_a_file_beyond_the_bound_is_not_summarised_and_holds_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MAX_SUMMARISED", 3)
    builder = SummaryBuilder(UTC, lambda camera_id: 60.0)
    for number in range(10):
        builder.add_appearances([seen(f"k{number}", 0, 1)])
    assert builder.is_full
    assert builder.build() is None
    assert not any(len(column) for column in builder._columns.values())
