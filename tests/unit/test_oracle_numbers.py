"""The oracle's merged insights, cards and histogram against tables worked out by hand."""

import pandas as pd
import pytest

from tests import oracle
from tests.support.hand_made import DAY, at, seen, sessions_of


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
