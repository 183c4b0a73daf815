from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.common.corsight.chunks import ReadLimits
from services.common.events.appearances import Appearance, appearance_key
from services.common.events.quarantine import REASONS
from tests.support.corsight import GOOD, read, row, rows


class TestAcceptedRow:
    def test_becomes_an_appearance(self) -> None:
        (item,) = read(
            row(
                appearance_id="a1",
                utc_time_recorded="2026-03-09 10:01:05",
                camera_description="Cashier 1",
                camera_group_data_group_name="Store",
                camera_group_data_group_departemen="Food",
                camera_group_data_group_divisi="North",
                zone_name="Queue",
                age_group_outcome="20-29",
                gender_outcome="Male",
                face_score="89.9",
                node_id="",
            )
        ).items
        assert item == Appearance(
            appearance_key="a1",
            appearance_id="a1",
            camera_id="c1",
            subject_id="p1",
            person_id="p1",
            started_at=datetime(2026, 3, 9, 10, tzinfo=UTC),
            ended_at=datetime(2026, 3, 9, 10, 1, tzinfo=UTC),
            reported_at=datetime(2026, 3, 9, 10, 1, 5, tzinfo=UTC),
            source="upload:u1#2",
            age_group="20-29",
            gender="male",
            camera_description="Cashier 1",
            camera_group="Store",
            department="Food",
            division="North",
            zone="Queue",
            extra={"face_score": "89.9"},
        )

    def test_without_an_appearance_id_is_known_by_who_where_and_when(self) -> None:
        (item,) = read(row()).items
        assert item.appearance_id is None
        assert item.appearance_key == appearance_key(None, "p1", "c1", item.started_at)

    def test_readable_times_win_over_epochs(self) -> None:
        (item,) = read(
            row(
                utc_time_started="1.754E+09",
                utc_time_started_readable="3/9/2026 10:00",
                utc_time_ended="1.754E+09",
                utc_time_ended_readable="3/9/2026 10:02",
            )
        ).items
        assert item.ended_at - item.started_at == timedelta(minutes=2)

    @pytest.mark.parametrize("blank", ["", "  ", "null", "NaN"])
    def test_an_epoch_stands_in_for_a_blank_readable_time(self, blank: str) -> None:
        (item,) = read(row(utc_time_started_readable=blank)).items
        assert item.started_at == datetime(2026, 3, 9, 10, tzinfo=UTC)

    def test_times_without_a_zone_are_in_the_uploads_zone(self) -> None:
        (item,) = read(row(), zone=ZoneInfo("Asia/Jakarta")).items
        assert item.started_at == datetime(2026, 3, 9, 3, tzinfo=UTC)

    @pytest.mark.parametrize("recorded", ["", "1.754E+09", "soon", "2027-01-01 00:00:00"])
    def test_is_reported_at_its_end_where_no_report_time_can_be_told(self, recorded: str) -> None:
        (item,) = read(row(utc_time_recorded=recorded)).items
        assert item.reported_at == item.ended_at

    def test_is_reported_when_it_was_sent(self) -> None:
        (item,) = read(row(utc_time_recorded="1773050000", msg_send_timestamp="1773050010.5")).items
        assert item.reported_at.timestamp() == 1773050010.5

    @pytest.mark.parametrize(
        ("outcome", "poi_id"), [("matched", "x"), ("Matched", "x"), ("not_determined", None), ("", None)]
    )
    def test_names_a_person_of_interest_only_where_matched(self, outcome: str, poi_id: str | None) -> None:
        (item,) = read(row(poi_id="x", match_outcome=outcome)).items
        assert item.poi_id == poi_id

    def test_loses_pictures_at_the_door(self) -> None:
        (item,) = read(row(face_crop_img="/9j/4AAQ", poi_display_img="x", signature="y", unnamed="z" * 5_000)).items
        assert item.extra == {}

    def test_of_no_length_stands(self) -> None:
        (item,) = read(row(utc_time_ended="2026-03-09 10:00:00")).items
        assert item.started_at == item.ended_at


class TestRowReasons:
    @pytest.mark.parametrize(
        ("cells", "reason_code"),
        [
            ({"person_id": ""}, "missing_person"),
            ({"person_id": " null "}, "missing_person"),
            ({"person_id": "", "appearance_id": "a1"}, "missing_person"),
            ({"camera_id": " "}, "missing_camera"),
            ({"utc_time_started": ""}, "missing_start"),
            ({"utc_time_ended": "None"}, "missing_end"),
            ({"utc_time_started": "not-a-date"}, "bad_timestamp"),
            ({"utc_time_ended": "2026-02-30 10:00:00"}, "bad_timestamp"),
            ({"utc_time_started_readable": "28.07.2025 10:00"}, "bad_timestamp"),
            ({"utc_time_started": "1.754E+09"}, "timestamp_precision_lost"),
            ({"utc_time_ended": "1.754e9"}, "timestamp_precision_lost"),
            ({"utc_time_ended": "2026-03-09 09:59:59.999999"}, "negative_dwell"),
            ({"utc_time_ended": "2026-03-10 10:00:00.000001"}, "implausible_dwell"),
            ({"utc_time_started": "2026-03-10 12:05:00", "utc_time_ended": "2026-03-10 12:05:01"}, "future_timestamp"),
            ({"utc_time_started": "2026-03-10 11:59:00", "utc_time_ended": "2026-03-10 12:06:00"}, "future_timestamp"),
            ({"camera_id": "c" * 257}, "schema_violation"),
            ({"appearance_id": "a" * 257}, "schema_violation"),
        ],
        ids=str,
    )
    def test_every_reason_has_its_rows(self, cells: dict[str, str], reason_code: str) -> None:
        text = row(**cells)
        result = read(text)
        assert result.items == []
        (reject,) = result.rejects
        assert reject.reason_code == reason_code
        assert reject.reason_code in REASONS
        assert reject.row == 2
        assert reject.source == "upload:u1#2"
        assert reject.raw == text.splitlines()[1].encode()

    def test_limits_decide_what_is_plausible(self) -> None:
        limits = ReadLimits(max_dwell_seconds=30, max_ahead_seconds=0)
        assert read(row(), limits=limits).reasons == [(2, "implausible_dwell")]
        just_now = {"utc_time_started": "2026-03-10 12:00:00", "utc_time_ended": "2026-03-10 12:00:01"}
        assert read(row(**just_now), limits=limits).reasons == [(2, "future_timestamp")]
        assert len(read(row(**just_now)).items) == 1

    def test_the_camera_is_told_where_it_is_known(self) -> None:
        (reject,) = read(row(person_id="")).rejects
        assert reject.camera_id == "c1"

    def test_the_first_reason_counts(self) -> None:
        assert read(row(person_id="", camera_id="", utc_time_started="x")).reasons == [(2, "missing_person")]

    def test_a_bad_row_never_stops_a_good_one(self) -> None:
        result = read(rows(GOOD, ",c1,1,2,", GOOD, "p,c1,x,y,", GOOD))
        assert [item.source for item in result.items] == ["upload:u1#2", "upload:u1#4", "upload:u1#6"]
        assert result.reasons == [(3, "missing_person"), (5, "bad_timestamp")]
