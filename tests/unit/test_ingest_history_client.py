"""What a Corsight system remembers, page by page."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import JSONResponse, Response

from services.ingest.corsight.errors import CorsightError
from services.ingest.corsight.history import FINISHED, RUNNING, History
from services.ingest.corsight.session import Session
from services.ingest.corsight.settings import CorsightSettings
from tests.support.vendor import Vendor, serving
from tests.support.vendor_events import appearance_event

PATH = "/history_service/history/"

SINCE = datetime(2026, 3, 10, 12, 0, 0, 250_000, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=1)


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with serving(Vendor(needs_login=False)) as running:
        yield running


async def read(vendor: Vendor, database: str = FINISHED, **others: Any) -> list[Any]:
    named: dict[str, Any] = {"corsight_url": vendor.url, "corsight_history_page": 3}
    settings = CorsightSettings(**(named | others))
    async with Session(settings) as session:
        pages = History(session, settings).pages(SINCE, UNTIL, database)
        return [json.loads(bytes(row)) async for page in pages for row in page]


def nested(number: int) -> dict[str, Any]:
    return appearance_event(number, now=SINCE.timestamp() + number)


def flat(number: int) -> dict[str, Any]:
    return {"appearance_id": f"track-{number}", "camera_id": "c1"}


def bodies(vendor: Vendor) -> list[Any]:
    return [json.loads(asked.body) for asked in vendor.of(PATH)]


@pytest.mark.parametrize("shape", [nested, flat])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_all_rows_come_page_by_page(vendor: Vendor, shape: Any, count: int) -> None:
    rows = [shape(number) for number in range(count)]
    vendor.rows = {FINISHED: rows}
    assert await read(vendor) == rows


async def test_a_page_is_asked_for_behind_the_last_row_in_either_place(vendor: Vendor) -> None:
    vendor.rows = {FINISHED: [nested(number) for number in range(4)]}
    await read(vendor)
    first, second, _ = vendor.of(PATH)
    assert first.query == {"limit": "3", "query_db": "history_db"}
    assert second.query == {**first.query, "after_id": "track-2"}
    assert [body.get("after_id") for body in bodies(vendor)] == [None, "track-2", "track-3"]


async def test_both_databases_are_asked_by_their_name(vendor: Vendor) -> None:
    vendor.rows = {FINISHED: [flat(1)], RUNNING: [flat(2)]}
    assert (await read(vendor, FINISHED), await read(vendor, RUNNING)) == ([flat(1)], [flat(2)])


async def test_a_span_is_told_in_whole_seconds_or_milliseconds_that_hold_it(vendor: Vendor) -> None:
    await read(vendor)
    await read(vendor, corsight_history_time_unit="milliseconds")
    start = int(SINCE.timestamp())
    assert bodies(vendor) == [
        {"from": start, "till": start + 61},
        {"from": start * 1000 + 250, "till": start * 1000 + 60_250},
    ]


@pytest.mark.parametrize("name", ["cameras", "cam_ids"])
async def test_cameras_go_by_the_name_of_the_version(vendor: Vendor, name: str) -> None:
    await read(vendor, corsight_history_cameras=("c1", "c2"), corsight_history_camera_field=name)
    assert bodies(vendor)[0][name] == ["c1", "c2"]


async def test_matches_that_are_null_are_left_out(vendor: Vendor) -> None:
    vendor.rows = {FINISHED: [None, flat(1), None, flat(2), None]}
    assert await read(vendor) == [flat(1), flat(2)]


@pytest.mark.parametrize("answer", [{"data": {"matches": None}}, {"data": {"matches": []}}, {"data": None}])
async def test_nothing_is_told_in_several_ways(vendor: Vendor, answer: Any) -> None:
    vendor.answers[PATH] = JSONResponse({"metadata": {"msg": "ok"}, **answer})
    assert await read(vendor) == []


@pytest.mark.parametrize("answer", ["<html>", '{"metadata": {}}', '{"data": {}}', '{"data": {"matches": 7}}', "[]"])
async def test_what_is_no_page_is_told_and_never_taken_for_nothing(vendor: Vendor, answer: str) -> None:
    vendor.answers[PATH] = Response(answer)
    with pytest.raises(CorsightError, match="history answers with no rows"):
        await read(vendor)


async def test_a_number_or_a_character_that_is_none_costs_no_other_row(vendor: Vendor) -> None:
    page = b'{"data": {"matches": [{"camera_id": "c1", "norm": NaN, "note": "\xff"}, {"camera_id": "c2"}]}}'
    vendor.answers[PATH] = Response(page)
    assert [row["camera_id"] for row in await read(vendor)] == ["c1", "c2"]


async def test_a_server_that_gives_the_same_page_for_ever_is_told(vendor: Vendor) -> None:
    vendor.answers[PATH] = JSONResponse({"data": {"matches": [flat(1), flat(2), flat(3)]}})
    with pytest.raises(CorsightError, match="more than 3 rows of a span, and gives the same rows again"):
        await read(vendor)


async def test_a_server_that_does_not_page_is_read_if_one_page_is_all(vendor: Vendor) -> None:
    vendor.answers[PATH] = JSONResponse({"data": {"matches": [flat(1), flat(2)]}})
    assert await read(vendor) == [flat(1), flat(2)]


async def test_a_page_that_is_too_large_is_asked_for_in_parts(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.corsight.session.MAX_ANSWER_BYTES", 3_000)
    rows = [{**flat(number), "face_crop_img": "x" * 1_000} for number in range(9)]
    vendor.rows = {FINISHED: rows}
    assert await read(vendor, corsight_history_page=8) == rows
