"""The sample day through the whole backend: what is stored, and what is answered, is what the oracle says."""

import csv
import io
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pandas as pd
import pytest
import pytest_asyncio

from services.common import clock
from services.common.events.common import isoformat
from tests import oracle
from tests.support import stored
from tests.support.pipeline import Pipeline
from tests.support.raw_files import AppearanceFile, insights_of
from tests.support.sample import sample_files

pytestmark = pytest.mark.asyncio(loop_scope="package")


class Day(msgspec.Struct, frozen=True):
    """What the oracle makes of the files, and the parameters that ask the gateway for the whole of that day."""

    file: AppearanceFile
    sessions: pd.DataFrame
    insights: pd.DataFrame
    asked: dict[str, Any]

    @property
    def cameras(self) -> set[str]:
        return set(self.sessions["camera_id"])


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def day(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Uploads the day and returns when its sessions are stored."""
    date = clock.now().date() - timedelta(days=1)
    appearances, report = sample_files(tmp_path_factory.mktemp("sample"), date)
    file = AppearanceFile(appearances.read_bytes())
    day = Day(
        file=file,
        sessions=oracle.sessions(oracle.appearances(oracle.reports(file.accepted))),
        insights=oracle.insight_events(insights_of(report.read_bytes())),
        asked={"from": f"{date}T00:00:00Z", "to": f"{date + timedelta(days=1)}T00:00:00Z", "tz": "UTC"},
    )
    upload = await pipeline.upload(appearances.name, appearances.read_bytes())
    assert (upload["rows_total"], upload["rows_accepted"]) == (file.rows, len(file.accepted))
    assert upload["rejects_by_reason"] == dict(file.rejects)
    assert (await pipeline.upload(report.name, report.read_bytes()))["rows_accepted"] == len(day.insights)

    wanted = stored.expected(day.sessions, stored.SESSION)
    await stored.becomes(partial(stored.sessions, pipeline.database, day.cameras), wanted)
    return day


async def test_occupancy_is_stored_minute_by_minute(pipeline: Pipeline, day: Day) -> None:
    minutes = stored.expected(oracle.occupancy_minutes(day.sessions), stored.MINUTE)
    await stored.becomes(partial(stored.minutes, pipeline.database, day.cameras), minutes)


async def test_insights_are_stored_with_the_occupancy_around_them(pipeline: Pipeline, day: Day) -> None:
    merged = stored.expected(oracle.merged_insights(day.insights, day.sessions), stored.INSIGHT)
    await stored.becomes(partial(stored.insights, pipeline.database, day.cameras), merged)


async def test_the_cards_show_the_numbers(pipeline: Pipeline, day: Day) -> None:
    numbers = oracle.summary(day.sessions, day.file.stores)
    cards = await pipeline.get("/api/v1/analytics/summary", day.asked)
    assert pd.Timestamp(cards["peak_hour"]) == numbers.pop("peak_hour")
    assert {name: cards[name] for name in numbers} == pytest.approx(numbers)


async def test_the_histogram_counts_every_session(pipeline: Pipeline, day: Day) -> None:
    histogram = await pipeline.get("/api/v1/analytics/dwell/histogram", day.asked)
    edges = [each["from_seconds"] for each in histogram["bins"]]
    assert [each["sessions"] for each in histogram["bins"]] == oracle.dwell_histogram(day.sessions, edges)


async def test_the_timeline_of_a_camera_is_its_minutes(pipeline: Pipeline, day: Day) -> None:
    camera = day.sessions["camera_id"].value_counts().index[0]
    of_camera = oracle.occupancy_minutes(day.sessions[day.sessions["camera_id"] == camera])
    timeline = await pipeline.get(
        "/api/v1/analytics/occupancy/timeline", {**day.asked, "camera_id": camera, "bucket": 60}
    )
    points = {
        pd.Timestamp(point["bucket"]): (point["occupancy_peak"], point["entries"], point["exits"])
        for point in timeline["points"]
        if point["occupancy_avg"] or point["entries"] or point["exits"]
    }
    assert points == {
        minute.minute: (minute.occupancy_peak, minute.entries, minute.exits) for minute in of_camera.itertuples()
    }


async def test_the_export_holds_every_session_once(pipeline: Pipeline, day: Day) -> None:
    text = await pipeline.get_text("/api/v1/sessions.csv", day.asked)
    exported = {row["session_id"]: row for row in csv.DictReader(io.StringIO(text))}
    wanted = {
        session.session_id: {
            **{name: str(getattr(session, name)) for name in stored.SESSION},
            "started_at": isoformat(session.started_at),
            "ended_at": isoformat(session.ended_at),
        }
        for session in list[Any](day.sessions.itertuples())
    }
    assert text.count("\n") == len(wanted) + 1
    assert {key: {name: row[name] for name in stored.SESSION} for key, row in exported.items()} == wanted
