"""The oracle against tables worked out by hand: it must be beyond doubt before anything is held against it."""

from typing import Any

import pandas as pd
import pytest

from services.common.events.common import stable_id
from tests import oracle

DAY = "2026-03-10T"


def seen(key: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    """A report of person p1 at camera c1; times of 2026-03-10."""
    report = {
        "appearance_key": key,
        "camera_id": "c1",
        "person_id": "p1",
        "started_at": f"{DAY}{start}Z",
        "ended_at": f"{DAY}{end}Z",
        "age_group": "other",
        "gender": "other",
        **fields,
    }
    return {"reported_at": report["ended_at"], **report}


def appearances_of(*reports: dict[str, Any]) -> pd.DataFrame:
    return oracle.appearances(oracle.reports(reports))


def sessions_of(*reports: dict[str, Any], **options: Any) -> pd.DataFrame:
    return oracle.sessions(appearances_of(*reports), **options)


def spans(sessions: pd.DataFrame) -> list[tuple[str, str]]:
    return [
        (f"{start:%H:%M:%S.%f}".removesuffix(".000000"), f"{end:%H:%M:%S.%f}".removesuffix(".000000"))
        for start, end in zip(sessions["started_at"], sessions["ended_at"], strict=True)
    ]


def at(clock: str) -> pd.Timestamp:
    return pd.Timestamp(f"{DAY}{clock}Z")


class TestSessions:
    @pytest.mark.parametrize(
        ("reports", "expected"),
        [
            pytest.param(
                [("a", "10:00:00", "10:00:10"), ("b", "10:01:10", "10:01:20")],
                [("10:00:00", "10:01:20")],
                id="a start exactly the gap after the end joins",
            ),
            pytest.param(
                [("a", "10:00:00", "10:00:10"), ("b", "10:01:10.000001", "10:01:20")],
                [("10:00:00", "10:00:10"), ("10:01:10.000001", "10:01:20")],
                id="a microsecond more opens the next session",
            ),
            pytest.param(
                [("a", "10:00:00", "10:00:10"), ("c", "10:02:00", "10:02:10"), ("b", "10:01:00", "10:01:05")],
                [("10:00:00", "10:02:10")],
                id="one in between bridges two that lie too far apart",
            ),
            pytest.param(
                [("a", "10:00:00", "10:10:00"), ("b", "10:01:00", "10:01:05"), ("c", "10:11:00", "10:11:01")],
                [("10:00:00", "10:11:01")],
                id="the latest end so far counts and not the last one",
            ),
            pytest.param(
                [("a", "10:00:00", "10:00:00")],
                [("10:00:00", "10:00:00")],
                id="an appearance of no length is a session",
            ),
        ],
    )
    def test_appearances_join_by_the_gap(
        self, reports: list[tuple[str, str, str]], expected: list[tuple[str, str]]
    ) -> None:
        assert spans(sessions_of(*(seen(*report) for report in reports))) == expected

    def test_a_camera_has_its_own_gap_and_cameras_and_subjects_never_join(self) -> None:
        reports = [
            seen("a", "10:00:00", "10:00:10"),
            seen("b", "10:00:15", "10:00:20"),
            seen("c", "10:00:00", "10:00:10", camera_id="c2"),
            seen("d", "10:00:15", "10:00:20", camera_id="c2"),
            seen("e", "10:00:05", "10:00:25", person_id="p2"),
        ]
        found = sessions_of(*reports, gap_overrides={"c2": 2.0})
        assert list(zip(found["camera_id"], found["subject_id"], spans(found), strict=True)) == [
            ("c1", "p1", ("10:00:00", "10:00:20")),
            ("c1", "p2", ("10:00:05", "10:00:25")),
            ("c2", "p1", ("10:00:00", "10:00:10")),
            ("c2", "p1", ("10:00:15", "10:00:20")),
        ]

    def test_visible_seconds_count_overlapping_time_once_and_holes_not_at_all(self) -> None:
        [session] = sessions_of(
            seen("a", "10:00:00", "10:00:30"), seen("b", "10:00:20", "10:00:25"), seen("c", "10:00:40.5", "10:00:50")
        ).to_dict("records")
        assert (session["dwell_seconds"], session["visible_seconds"], session["appearance_count"]) == (50.0, 39.5, 3)

    def test_the_identity_hashes_camera_subject_and_the_least_of_the_earliest_keys(self) -> None:
        [session_id] = sessions_of(
            seen("b", "10:00:00", "10:00:10"), seen("a", "10:00:00", "10:00:01"), seen("0", "10:00:05", "10:00:06")
        )["session_id"]
        assert session_id == stable_id("c1", "p1", "a")

    def test_demographics_are_of_the_latest_ending_appearance_that_knows_them(self) -> None:
        [session] = sessions_of(
            seen("a", "10:00:00", "10:00:30", age_group="20-29", gender="male"),
            seen("b", "10:00:10", "10:00:40", age_group="30-39"),
            seen("c", "10:00:20", "10:00:40", age_group="40-49"),
            seen("d", "10:00:30", "10:00:50"),
        ).to_dict("records")
        assert (session["age_group"], session["gender"]) == ("40-49", "male")


class TestAppearances:
    def test_reports_of_one_sighting_are_one_fact(self) -> None:
        [fact] = appearances_of(
            seen("a", "10:00:05", "10:00:10", age_group="20-29", reported_at=f"{DAY}10:00:30Z"),
            seen("a", "10:00:00", "10:00:08", age_group="30-39", reported_at=f"{DAY}10:00:40Z"),
            seen("a", "10:00:05", "10:00:10", age_group="20-29", reported_at=f"{DAY}10:00:30Z"),
        ).to_dict("records")
        assert (fact["started_at"], fact["ended_at"], fact["age_group"]) == (at("10:00:00"), at("10:00:10"), "30-39")

    def test_reports_of_the_same_time_are_settled_by_the_greater_text(self) -> None:
        [fact] = appearances_of(
            seen("a", "10:00:00", "10:00:10", age_group="20-29", gender="male"),
            seen("a", "10:00:00", "10:00:10", age_group="30-39", gender="female"),
        ).to_dict("records")
        assert (fact["age_group"], fact["gender"]) == ("30-39", "female")

    @pytest.mark.parametrize(
        ("named", "subject"),
        [
            ([{}, {}], "track:a"),
            ([{}, {"poi_id": "x"}], "poi:x"),
            ([{"person_id": "p7"}, {}], "p7"),
            ([{"poi_id": "x"}, {"person_id": "p7"}, {"poi_id": "y"}], "p7"),
        ],
    )
    def test_who_is_named_by_any_report_stays_named(self, named: list[dict[str, str]], subject: str) -> None:
        reports = [
            seen("a", "10:00:00", f"10:00:1{n}", **{"person_id": None, **names}) for n, names in enumerate(named)
        ]
        assert list(appearances_of(*reports)["subject_id"]) == [subject]

    def test_a_named_appearance_moves_to_its_person_and_counts_once(self) -> None:
        live = seen("a", "10:00:00", "10:00:10", person_id=None)
        found = sessions_of(live, seen("b", "10:00:30", "10:00:40"), {**live, "person_id": "p1"})
        assert list(found["subject_id"]) == ["p1"]
        assert list(found["appearance_count"]) == [2]


class TestOccupancy:
    def test_minutes_count_seconds_peak_entries_and_exits(self) -> None:
        found = oracle.occupancy_minutes(
            sessions_of(
                seen("a", "10:00:30", "10:01:30"),
                seen("b", "10:01:30", "10:02:00", person_id="p2"),
                seen("c", "10:01:45", "10:01:45", person_id="p3"),
                seen("d", "10:01:40", "10:01:50", person_id="p4"),
            )
        )
        rows = [tuple(row) for row in found.drop(columns="camera_id").itertuples(index=False)]
        assert rows == [
            (at("10:00:00"), 0.5, 1, 1, 0),
            (at("10:01:00"), 70 / 60, 2, 3, 3),
            (at("10:02:00"), 0.0, 0, 0, 1),
        ]

    def test_the_peak_of_a_place_lets_people_leave_before_others_come(self) -> None:
        numbers = oracle.summary(
            sessions_of(
                seen("a", "10:00:00", "10:00:30"),
                seen("b", "10:00:30", "10:01:00", person_id="p2", camera_id="c2"),
                seen("c", "10:00:40", "10:00:40", person_id="p3"),
            )
        )
        assert numbers["occupancy_peak"] == 1


class TestMergedInsights:
    EVENT = {  # noqa: RUF012
        "insight_id": "i1",
        "kind": "loitering",
        "camera_id": "c1",
        "started_at": f"{DAY}12:00:00Z",
        "reported_at": f"{DAY}12:05:00Z",
        "duration_seconds": 120.0,
        "subject_id": "p1",
    }

    def test_the_window_reaches_from_before_the_start_to_after_the_duration(self) -> None:
        sessions = sessions_of(
            seen("a", "11:58:00", "12:00:00", person_id="p2"),
            seen("b", "11:59:00", "12:03:00"),
            seen("c", "12:07:00", "12:09:00", person_id="p3"),
            seen("d", "11:25:00", "11:55:00", person_id="p4"),
            seen("e", "12:07:00.000001", "12:09:00", person_id="p5"),
            seen("f", "11:50:00", "12:10:00", person_id="p6", camera_id="c2"),
        )
        [merged] = oracle.merged_insights(oracle.insight_events([self.EVENT]), sessions).to_dict("records")
        assert (merged["window_started_at"], merged["window_ended_at"]) == (at("11:55:00"), at("12:07:00"))
        assert (merged["occupancy_at_event"], merged["occupancy_peak"]) == (1, 2)
        assert merged["occupancy_avg"] == pytest.approx((120 + 240) / 720)
        assert merged["baseline_avg"] == pytest.approx(0.5)
        assert merged["sessions_in_window"] == 3
        assert (merged["session_dwell_seconds"], merged["match"]) == (240.0, "matched")

    @pytest.mark.parametrize(
        ("start", "end", "inside", "peak"),
        [
            pytest.param("11:54:00", "11:55:00", 0, 0, id="one that leaves as the window begins is not there"),
            pytest.param("11:54:00", "11:55:00.000001", 1, 1, id="one that stays a moment longer is"),
            pytest.param("11:55:00", "11:55:00", 1, 0, id="one of no length is in the window but occupies nothing"),
            pytest.param("12:07:00", "12:09:00", 1, 1, id="one that comes as the window ends is there"),
            pytest.param("12:07:00.000001", "12:09:00", 0, 0, id="one that comes later is not"),
        ],
    )
    def test_the_window_includes_both_its_ends(self, start: str, end: str, inside: int, peak: int) -> None:
        sessions = sessions_of(seen("a", start, end, person_id="p2"))
        [merged] = oracle.merged_insights(oracle.insight_events([self.EVENT]), sessions).to_dict("records")
        assert (merged["sessions_in_window"], merged["occupancy_peak"]) == (inside, peak)
        assert merged["match"] == ("matched" if inside else "no_occupancy")

    @pytest.mark.parametrize(
        ("spans", "dwell"),
        [
            pytest.param([("11:59:00", "12:00:10"), ("12:01:20", "12:01:50")], 30.0, id="the longest overlap"),
            pytest.param([("12:00:00", "12:00:10"), ("12:01:20", "12:01:30")], 10.0, id="then the earliest"),
            pytest.param([("11:59:00", "12:00:00")], 60.0, id="one that ends as the event starts"),
            pytest.param([("11:59:00", "11:59:59.999999"), ("12:02:00.000001", "12:03:00")], None, id="none"),
        ],
    )
    def test_the_subjects_own_session_is_the_one_that_overlaps(
        self, spans: list[tuple[str, str]], dwell: float | None
    ) -> None:
        sessions = sessions_of(*(seen(str(n), start, end) for n, (start, end) in enumerate(spans)))
        [merged] = oracle.merged_insights(oracle.insight_events([self.EVENT]), sessions).to_dict("records")
        assert merged["session_dwell_seconds"] == dwell

    def test_an_event_in_an_empty_place_is_marked(self) -> None:
        sessions = sessions_of(seen("a", "10:00:00", "10:01:00"))
        [merged] = oracle.merged_insights(oracle.insight_events([self.EVENT]), sessions).to_dict("records")
        assert (merged["match"], merged["session_id"], merged["occupancy_peak"]) == ("no_occupancy", None, 0)

    def test_the_later_report_of_an_event_holds(self) -> None:
        later = {**self.EVENT, "reported_at": f"{DAY}12:06:00Z", "kind": "crowd"}
        assert list(oracle.insight_events([later, self.EVENT])["kind"]) == ["crowd"]


class TestSummary:
    def test_the_cards(self) -> None:
        numbers = oracle.summary(
            sessions_of(
                seen("a", "10:00:00", "10:10:00"),
                seen("b", "11:00:00", "11:10:00.000001"),
                seen("c", "11:30:00", "11:30:20", camera_id="c2"),
                seen("d", "11:45:00", "11:45:40", person_id=None, camera_id="c3"),
            ),
            stores={"c1": "north", "c2": "north"},
        )
        assert numbers == {
            "visitors": 2,
            "visitors_anonymous": 1,
            "visits": 2,
            "sessions": 4,
            "appearances": 4,
            "dwell_avg_seconds": pytest.approx(1260.000001 / 4),
            "dwell_median_seconds": 320.0,
            "dwell_p95_seconds": pytest.approx(600.00000085),
            "dwell_max_seconds": 600.000001,
            "occupancy_peak": 1,
            "peak_hour": at("11:00:00"),
            "repeat_visitors": 0,
            "waiting_violations": 1,
        }

    def test_repeat_visitors_come_to_one_store_on_two_days_of_its_zone(self) -> None:
        sessions = sessions_of(
            seen("a", "22:30:00", "22:31:00"),
            seen("b", "23:30:00", "23:31:00"),
            seen("c", "21:00:00", "21:01:00", person_id="p2"),
            seen("d", "22:30:00", "22:31:00", person_id="p2"),
            seen("e", "22:00:00", "22:01:00", person_id="p3"),
            seen("f", "23:30:00", "23:31:00", person_id="p3", camera_id="c2"),
        )
        assert oracle.summary(sessions)["repeat_visitors"] == 0
        berlin = oracle.summary(sessions, zone="Europe/Berlin")
        assert (berlin["repeat_visitors"], berlin["visits"]) == (1, 5)

    def test_the_hour_that_a_clock_repeats_is_two_hours(self) -> None:
        # Berlin, 25 October 2026: 02:00-03:00 comes twice, from 00:00 and from 01:00 UTC.
        starts = ["00:10", "01:10", "01:20", "02:10"]
        reports = [
            seen(
                str(n),
                "",
                "",
                person_id=str(n),
                started_at=f"2026-10-25T{clock}:00Z",
                ended_at=f"2026-10-25T{clock}:09Z",
            )
            for n, clock in enumerate(starts)
        ]
        numbers = oracle.summary(sessions_of(*reports), zone="Europe/Berlin")
        assert numbers["peak_hour"] == pd.Timestamp("2026-10-25T01:00:00Z")
        assert numbers["visits"] == 4

    def test_hours_of_a_half_hour_zone_start_at_its_own_full_hour(self) -> None:
        numbers = oracle.summary(sessions_of(seen("a", "10:10:00", "10:11:00")), zone="Asia/Kolkata")
        assert numbers["peak_hour"] == at("09:30:00")

    def test_the_histogram_counts_each_session_in_one_bin(self) -> None:
        sessions = sessions_of(
            seen("a", "10:00:00", "10:00:00"),
            seen("b", "10:00:00", "10:00:30", person_id="p2"),
            seen("c", "10:00:00", "10:00:29.999999", person_id="p3"),
            seen("d", "10:00:00", "12:00:00", person_id="p4"),
        )
        assert oracle.dwell_histogram(sessions, [0, 30, 60]) == [2, 1, 1]
