import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd
import pytest

from deploy.sample.__main__ import write_sample
from services.common.corsight.csv import read_appearances
from services.common.corsight.insight_report import read_insights
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.ingest.layout import CAMERAS, ShopCamera
from tests import oracle

DAY = date(2026, 3, 9)
ZONE = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 3, 10, tzinfo=ZONE).astimezone(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample")
    write_sample(path, DAY, seed=7, zone=ZONE)
    return path


@pytest.fixture(scope="module")
def appearances(folder: Path) -> list[Appearance]:
    data = io.BytesIO((folder / "appearances.csv").read_bytes())
    chunks = list(read_appearances(data, source_prefix="upload:u", now=NOW))
    assert not any(chunk.rejects or chunk.warnings for chunk in chunks)
    return [item for chunk in chunks for item in chunk.items]


@pytest.fixture(scope="module")
def insights(folder: Path) -> list[InsightEvent]:
    data = io.BytesIO((folder / "insights.json").read_bytes())
    chunks = list(read_insights(data, source_prefix="upload:v", now=NOW))
    assert not any(chunk.rejects for chunk in chunks)
    return [item for chunk in chunks for item in chunk.items]


@pytest.fixture(scope="module")
def sessions(appearances: list[Appearance]) -> pd.DataFrame:
    return oracle.sessions(oracle.appearances(oracle.reports(msgspec.to_builtins(appearances))))


class TestFiles:
    def test_are_the_same_for_the_same_day_and_seed(self, folder: Path, tmp_path: Path) -> None:
        write_sample(tmp_path, DAY, seed=7, zone=ZONE)
        for name in ("appearances.csv", "insights.json"):
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()

    def test_differ_by_day_but_show_the_same_shop(self, appearances: list[Appearance], tmp_path: Path) -> None:
        write_sample(tmp_path, DAY + timedelta(days=1), seed=7, zone=ZONE)
        with (tmp_path / "appearances.csv").open() as file:
            other = list(csv.DictReader(file))
        assert {row["camera_id"] for row in other} == {item.camera_id for item in appearances}
        assert not {row["appearance_id"] for row in other} & {item.appearance_id for item in appearances}
        regulars = {row["person_id"] for row in other} & {item.person_id for item in appearances}
        assert len(regulars) > 20

    def test_are_small_enough_to_be_read_in_the_request(self, folder: Path) -> None:
        assert (folder / "appearances.csv").stat().st_size < 5_000_000


class TestDay:
    def test_has_some_five_thousand_appearances_before_the_cameras_of_the_live_feed(
        self, appearances: list[Appearance]
    ) -> None:
        assert 4_500 < len(appearances) < 6_000
        assert {
            ShopCamera(
                item.camera_id,
                item.camera_description or "",
                item.zone or "",
                item.camera_group or "",
                item.department or "",
                item.division or "",
            )
            for item in appearances
        } == set(CAMERAS)

    def test_shows_opening_hours_and_two_peaks(self, appearances: list[Appearance]) -> None:
        starts = [item.started_at.astimezone(ZONE) for item in appearances]
        assert {start.date() for start in starts} == {DAY}
        assert min(start.hour for start in starts) == 9
        assert max(item.ended_at.astimezone(ZONE) for item in appearances) <= datetime(2026, 3, 9, 21, tzinfo=ZONE)
        by_hour = Counter(start.hour for start in starts)
        assert min(by_hour[12], by_hour[17], by_hour[18]) > 1.5 * max(by_hour[9], by_hour[10], by_hour[14])

    def test_means_the_same_whatever_zone_the_upload_names(self, folder: Path, appearances: list[Appearance]) -> None:
        data = io.BytesIO((folder / "appearances.csv").read_bytes())
        chunks = read_appearances(data, source_prefix="upload:u", now=NOW, zone=ZONE)
        assert [item for chunk in chunks for item in chunk.items] == appearances

    def test_makes_sessionizing_matter(self, appearances: list[Appearance], sessions: pd.DataFrame) -> None:
        keys = Counter(item.appearance_key for item in appearances)
        assert sum(count > 1 for count in keys.values()) >= 10
        assert len(sessions) < 0.75 * len(keys)
        assert (sessions.visible_seconds < sessions.dwell_seconds).sum() > 100

    def test_has_undecided_demographics(self, appearances: list[Appearance]) -> None:
        shares = Counter(item.gender for item in appearances)
        assert shares.keys() == {"female", "male", "other"}
        assert 0.02 < shares["other"] / len(appearances) < 0.2

    def test_somebody_waits_too_long(self, sessions: pd.DataFrame) -> None:
        assert 5 <= sessions[sessions.dwell_seconds > 600].subject_id.nunique() <= 30


class TestInsights:
    def test_are_crowds_and_loitering(self, insights: list[InsightEvent]) -> None:
        assert 20 <= len(insights) <= 40
        kinds = Counter(insight.kind for insight in insights)
        assert kinds.keys() == {"crowd", "loitering"}
        assert min(kinds.values()) >= 5

    def test_fit_the_days_own_occupancy(self, insights: list[InsightEvent], sessions: pd.DataFrame) -> None:
        merged = oracle.merged_insights(oracle.insight_events(msgspec.to_builtins(insights)), sessions)
        rows: list[Any] = list(merged.itertuples())
        by_id = {row.insight_id: row for row in rows}
        for insight in insights:
            found = by_id[insight.insight_id]
            assert found.match == "matched"
            if insight.kind == "crowd":
                assert found.occupancy_at_event == found.occupancy_peak == insight.people_count
            else:
                assert found.session_dwell_seconds == pytest.approx(insight.duration_seconds)


def test_the_report_keeps_the_vendors_names(folder: Path) -> None:
    report = json.loads((folder / "insights.json").read_text())["data"]
    loitering = next(element for element in report if element["kind"] == "loitering")
    assert {"event_id", "person_id", "camera_id", "utc_time_recorded", "save_insight_time", "loitering_duration"} <= (
        loitering.keys()
    )
