"""The oracle against tables worked out by hand: it must be beyond doubt before anything is held against it."""

import pandas as pd
import pytest

from services.common.events.common import stable_id
from tests import oracle
from tests.support.hand_made import DAY, appearances_of, at, seen, sessions_of


def spans(sessions: pd.DataFrame) -> list[tuple[str, str]]:
    if sessions.empty:
        return []
    return [
        (f"{start:%H:%M:%S.%f}".removesuffix(".000000"), f"{end:%H:%M:%S.%f}".removesuffix(".000000"))
        for start, end in zip(sessions["started_at"], sessions["ended_at"], strict=True)
    ]


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


class TestWithdrawals:
    def test_what_an_origin_takes_back_was_never_reported_by_it(self) -> None:
        live = seen("a", "10:00:00", "10:00:10", source="corsight:webhook")
        upload = seen("a", "09:59:00", "10:00:20", source="upload:1#4")
        gone = {**upload, "source": "upload:1#5", "withdrawn": True}
        assert spans(sessions_of(live, upload, gone)) == [("10:00:00", "10:00:10")]
        assert spans(sessions_of(upload, gone)) == []
        assert spans(sessions_of(upload, gone, seen("a", "11:00:00", "11:00:05", source="upload:1#4"))) == [
            ("11:00:00", "11:00:05")
        ]

    def test_an_insight_that_is_taken_back_leaves_those_of_other_origins(self) -> None:
        one = {"insight_id": "i", "camera_id": "c1", "kind": "crowd", "reported_at": f"{DAY}10:00:00Z"}
        one |= {"started_at": f"{DAY}10:00:00Z", "source": "upload:1#1"}
        other = {**one, "kind": "loitering", "source": "upload:2#1"}
        gone = {**one, "withdrawn": True}
        assert list(oracle.insight_events([other, one, gone])["kind"]) == ["loitering"]
        assert oracle.insight_events([one, gone]).empty


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
