from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.corsight.timestamps import BadTimestampError, PrecisionLostError, parse_instant

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[misc,arg-type]


FORMS = [
    ("2025-07-28T10:00:00Z", utc(2025, 7, 28, 10)),
    ("2025-07-28t10:00:00z", utc(2025, 7, 28, 10)),
    ("2025-07-28T10:00:00", utc(2025, 7, 28, 10)),
    ("2025-07-28T10:00", utc(2025, 7, 28, 10)),
    ("2025-07-28T10:00:00+07:00", utc(2025, 7, 28, 3)),
    ("2025-07-28T10:00:00+0700", utc(2025, 7, 28, 3)),
    ("2025-07-28T10:00:00-03", utc(2025, 7, 28, 13)),
    ("2025-07-28T10:00:00.5+05:30", utc(2025, 7, 28, 4, 30, 0, 500_000)),
    ("2025-07-28 10:00:00 UTC", utc(2025, 7, 28, 10)),
    ("2025-07-28 10:00:00", utc(2025, 7, 28, 10)),
    ("2025-07-28 10:00:00.123456", utc(2025, 7, 28, 10, 0, 0, 123_456)),
    ("2025-07-28 10:00:00,25", utc(2025, 7, 28, 10, 0, 0, 250_000)),
    ("2025-07-28 10:00:00.1234565", utc(2025, 7, 28, 10, 0, 0, 123_457)),
    ("2025-07-28 23:59:59.9999999", utc(2025, 7, 29)),
    ("  2025-07-28 10:00:00 ", utc(2025, 7, 28, 10)),
    ("7/28/2025 10:00", utc(2025, 7, 28, 10)),
    ("7/28/2025 9:55", utc(2025, 7, 28, 9, 55)),
    ("07/28/2025 09:55:07", utc(2025, 7, 28, 9, 55, 7)),
    ("7/28/2025 9:55:07.25", utc(2025, 7, 28, 9, 55, 7, 250_000)),
    ("1718246816", utc(2024, 6, 13, 2, 46, 56)),
    ("1718246816.123456", utc(2024, 6, 13, 2, 46, 56, 123_456)),
    ("1718246816.1", utc(2024, 6, 13, 2, 46, 56, 100_000)),
    ("1718246816.", utc(2024, 6, 13, 2, 46, 56)),
    ("1718246816123", utc(2024, 6, 13, 2, 46, 56, 123_000)),
    ("1718246816123.456", utc(2024, 6, 13, 2, 46, 56, 123_456)),
    ("1754000000", utc(2025, 7, 31, 22, 13, 20)),
    (1718246816, utc(2024, 6, 13, 2, 46, 56)),
    (1718246816.123456, utc(2024, 6, 13, 2, 46, 56, 123_456)),
    (1718246816123, utc(2024, 6, 13, 2, 46, 56, 123_000)),
    (1718246816123.456, utc(2024, 6, 13, 2, 46, 56, 123_456)),
    (1.754e9, utc(2025, 7, 31, 22, 13, 20)),
    (utc(2025, 7, 28, 10), utc(2025, 7, 28, 10)),
    (datetime(2025, 7, 28, 10, tzinfo=timezone(timedelta(hours=7))), utc(2025, 7, 28, 3)),
]

BAD = [
    "", "soon", "2025-07-28", "10:00:00", "2025-02-30 10:00:00", "2025-07-28 24:00:00", "2025-07-28 10:60:00",
    "28/7/2025 10:00", "7/28/25 10:00", "2025-07-28T10:00:00+25:00", "2025-07-28T10:00:00+05:99",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59", "0", "-1718246816", "20250728", "17182468161234567", "1,718,246,816",
    "1718246816.12.3", "٢٠٢٥-07-28 10:00:00", "1" * 5_000, "2025-07-28 10:00:00 CEST",
    0, -5, True, None, [], {}, float("nan"), float("inf"), -float("inf"), 10**30,
]  # fmt: skip


class TestParseInstant:
    @pytest.mark.parametrize(("value", "instant"), FORMS)
    def test_reads_every_known_form(self, value: object, instant: datetime) -> None:
        assert parse_instant(value) == instant
        assert parse_instant(value).tzinfo is UTC

    @pytest.mark.parametrize("value", BAD, ids=lambda value: str(value)[:30])
    def test_refuses_what_is_no_time(self, value: object) -> None:
        with pytest.raises(BadTimestampError) as refused:
            parse_instant(value)
        assert refused.value.reason_code == "bad_timestamp"
        assert len(str(refused.value)) < 200

    @pytest.mark.parametrize("text", ["1.754E+09", "1.754e9", "1,754E+09", "2E9", "1.75400000012E+12"])
    def test_refuses_an_epoch_that_a_spreadsheet_rounded(self, text: str) -> None:
        with pytest.raises(PrecisionLostError) as refused:
            parse_instant(text)
        assert refused.value.reason_code == "timestamp_precision_lost"

    @given(st.integers(10**14, 4 * 10**15))
    def test_keeps_every_microsecond_of_an_epoch_text(self, micros: int) -> None:
        seconds, fraction = divmod(micros, 10**6)
        expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        assert parse_instant(f"{seconds}.{fraction:06}") == expected
        assert parse_instant(f"{micros // 1_000}.{micros % 1_000:03}") == expected

    @given(st.integers(10**15, 2 * 10**15))
    def test_keeps_every_microsecond_of_an_epoch_float(self, micros: int) -> None:
        written = float(f"{micros // 10**6}.{micros % 10**6:06}")
        assert parse_instant(written) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)

    @given(st.floats(10**8, 2**32) | st.integers(10**15, 2 * 10**15).map(lambda halves: halves / 2e6))
    def test_an_epoch_float_is_what_it_would_be_as_text(self, epoch: float) -> None:
        assert parse_instant(epoch) == parse_instant(f"{Decimal(repr(epoch)):f}")


class TestZones:
    def test_a_text_without_a_zone_is_in_the_zone_given(self) -> None:
        assert parse_instant("2025-07-28 10:00:00", BERLIN) == utc(2025, 7, 28, 8)
        assert parse_instant("7/28/2025 10:00", NEW_YORK) == utc(2025, 7, 28, 14)

    @pytest.mark.parametrize("value", ["2025-07-28T10:00:00Z", "1753696800", 1753696800])
    def test_the_zone_leaves_alone_what_says_its_own(self, value: object) -> None:
        assert parse_instant(value, BERLIN) == utc(2025, 7, 28, 10)

    def test_an_hour_that_comes_twice_is_the_earlier_one(self) -> None:
        assert parse_instant("2025-10-26 02:30:00", BERLIN) == utc(2025, 10, 26, 0, 30)
        assert parse_instant("11/2/2025 1:30", NEW_YORK) == utc(2025, 11, 2, 5, 30)

    def test_an_hour_that_comes_twice_is_the_later_one_where_that_is_asked_for(self) -> None:
        assert parse_instant("2025-10-26 02:30:00", BERLIN, fold=1) == utc(2025, 10, 26, 1, 30)
        assert parse_instant("2025-10-26 03:30:00", BERLIN, fold=1) == utc(2025, 10, 26, 2, 30)

    @pytest.mark.parametrize(("text", "zone"), [("2025-03-30 02:30:00", BERLIN), ("3/9/2025 2:00", NEW_YORK)])
    def test_a_time_that_the_clocks_skip_is_refused(self, text: str, zone: ZoneInfo) -> None:
        with pytest.raises(BadTimestampError, match="the clocks skip it"):
            parse_instant(text, zone)

    def test_the_edges_of_a_skipped_hour_exist(self) -> None:
        assert parse_instant("2025-03-30 01:59:59.999999", BERLIN) == utc(2025, 3, 30, 0, 59, 59, 999_999)
        assert parse_instant("2025-03-30 03:00:00", BERLIN) == utc(2025, 3, 30, 1)
