"""Buckets of charts, cut at the hours and days of a zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.gateway.buckets import DAY, HOUR, MAX_POINTS, SIZES, WEEK, choose_size, edges
from services.gateway.errors import InvalidRequestError

BERLIN = ZoneInfo("Europe/Berlin")


def local(zone: ZoneInfo, year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/Havana", (2026, 3, 8), 23),
        ("America/Havana", (2026, 11, 1), 25),
        ("Asia/Kathmandu", (2026, 6, 1), 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_give_it(zone: str, day: tuple[int, int, int], hours: int) -> None:
    info = ZoneInfo(zone)
    start = local(info, *day)
    end = (datetime(*day, tzinfo=info) + timedelta(days=1)).astimezone(UTC)
    by_hour = edges(start, end, HOUR, info)
    assert len(by_hour) - 1 == hours
    assert {later - earlier for earlier, later in pairwise(by_hour)} == {timedelta(hours=1)}
    assert edges(start, end, DAY, info) == [start, end]


def test_hours_of_a_zone_with_half_hours_begin_on_its_own_clock() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    found = edges(datetime(2026, 1, 1, 10, 10, tzinfo=UTC), datetime(2026, 1, 1, 11, tzinfo=UTC), HOUR, zone)
    assert found == [local(zone, 2026, 1, 1, 15), local(zone, 2026, 1, 1, 16), local(zone, 2026, 1, 1, 17)]


def test_weeks_begin_on_monday() -> None:
    found = edges(local(BERLIN, 2026, 10, 22), local(BERLIN, 2026, 10, 27), WEEK, BERLIN)
    assert found == [local(BERLIN, 2026, 10, 19), local(BERLIN, 2026, 10, 26), local(BERLIN, 2026, 11, 2)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"])
def test_buckets_rise_without_gaps_and_cover_the_range(zone: str, size: int) -> None:
    start = datetime(2026, 4, 4, 13, 59, 59, 1, tzinfo=UTC)
    end = start + timedelta(seconds=size * 40)
    found = edges(start, end, size, ZoneInfo(zone))
    assert found[0] <= start < found[1]
    assert found[-2] < end <= found[-1]
    assert all(earlier < later for earlier, later in pairwise(found))


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (timedelta(hours=24), 60),
        (timedelta(days=3), 300),
        (timedelta(days=14), 900),
        (timedelta(days=60), HOUR),
        (timedelta(days=400), 6 * HOUR),
        (timedelta(days=1_500), DAY),
        (timedelta(days=9_000), WEEK),
    ],
)
def test_the_finest_size_that_fits_is_chosen(length: timedelta, size: int) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    assert choose_size(start, start + length, None) == size
    assert len(edges(start, start + length, size, BERLIN)) - 1 <= MAX_POINTS


@pytest.mark.parametrize(("days", "requested"), [(1, 7), (1, 0), (30, 60), (20_000, None)])
def test_a_size_that_is_none_or_gives_too_many_points_is_refused(days: int, requested: int | None) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidRequestError):
        choose_size(start, start + timedelta(days=days), requested)
