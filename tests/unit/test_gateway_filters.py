"""The common filters: what an address means, and the SQL it becomes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, reset_tzpath

import pytest
from pydantic import ValidationError

from services.gateway.errors import InvalidRequestError
from services.gateway.filters import Conditions, FilterParams, Filters, parse_instant, parse_zone, understand

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def filters(**given: object) -> Filters:
    return understand(FilterParams.model_validate(given), NOW, "UTC")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01T10:00:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00.123456-03:00", datetime(2026, 7, 1, 13, 0, 0, 123456, tzinfo=UTC)),
        ("2026-07-01T10:00:00 02:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01T10:00:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01 10:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-01-01", datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_taken_in_the_requested_zone(text: str, instant: datetime) -> None:
    assert parse_instant(text, BERLIN) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1754000000", "0001-01-01T00:00:00Z", "9999-12-31"])
def test_what_is_no_time_or_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_instant(text, BERLIN)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", "Europe", "x\0y", "x" * 500])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_zone(name)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"])
def test_what_a_machine_keeps_beside_the_zones_is_none(name: str, tmp_path: Path) -> None:
    kept = tmp_path / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(_tzif("Europe/Berlin"))
    reset_tzpath([tmp_path])
    try:
        assert ZoneInfo.no_cache(name).key == name
        with pytest.raises(InvalidRequestError, match="is no time zone of the IANA database"):
            parse_zone(name)
    finally:
        reset_tzpath()


def _tzif(name: str) -> bytes:
    return next(path for folder in TZPATH if (path := Path(folder) / name).exists()).read_bytes()


def test_without_a_range_the_last_24_hours_are_meant() -> None:
    assert (filters().start, filters().end) == (NOW - timedelta(hours=24), NOW)


def test_with_an_end_alone_the_24_hours_before_it_are_meant() -> None:
    found = filters(to="2026-11-01", tz="Europe/Berlin")
    assert (found.start, found.end) == (
        datetime(2026, 10, 30, 23, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "given",
    [
        {"from": "2026-11-02", "to": "2026-11-01"},
        {"from": "2026-11-01", "to": "2026-11-01"},
        {"from": "2026-12-01"},
        {"min_dwell": 10, "max_dwell": 5},
    ],
)
def test_a_range_that_holds_nothing_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        filters(**given)


@pytest.mark.parametrize("given", [{"min_dwell": -1}, {"camera_category": ["roof"]}, {"camera_id": [""]}])
def test_values_that_no_row_can_have_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        filters(**given)


def test_the_previous_period_ends_where_this_one_begins_and_is_as_long() -> None:
    previous = filters(**{"from": "2026-11-10", "to": "2026-11-17"}).previous()
    assert (previous.start, previous.end) == (datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC))


def test_every_value_travels_as_a_parameter() -> None:
    hostile = "x'; DROP TABLE sessions; --"
    given = filters(camera_id=[hostile, "c2"], zone=[hostile], gender=[hostile], min_dwell=5, max_dwell=9)
    conditions = Conditions("first").cameras(given, "s").people(given, "s").dwell(given, "s")
    assert str(conditions) == (
        "s.camera_id = ANY($2) AND s.camera_id IN (SELECT camera_id FROM cameras WHERE zone = ANY($3))"
        " AND s.gender = ANY($4) AND s.dwell_seconds >= $5 AND s.dwell_seconds <= $6"
    )
    assert conditions.parameters == ["first", [hostile, "c2"], [hostile], [hostile], 5.0, 9.0]


def test_no_filter_is_no_condition() -> None:
    assert str(Conditions().cameras(filters(), "s").people(filters(), "s").dwell(filters(), "s")) == "true"
