import io
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.corsight.chunks import RowError, RowRules
from services.common.corsight.csv import read_appearances
from services.common.corsight.event import normalise_event
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import REASONS

START = datetime(2026, 3, 9, 9, tzinfo=UTC)
RULES = RowRules(now=START + timedelta(hours=1))
T = START.timestamp()

# Made up, in the shape that the vendor sends; the picture is none.
EVENT: dict[str, Any] = {
    "event_type": "appearance",
    "event_id": "5d0f0a52-0000-4000-8000-000000000001",
    "msg_send_timestamp": T + 26.8,
    "camera_data": {
        "camera_id": "cam-1",
        "stream_id": "5d0f0a52-0000-4000-8000-000000000002",
        "camera_description": "Entrance north",
        "node_id": "",
        "analysis_mode": "live",
        "camera_notes": {"properties": {}, "free_notes": ""},
        "record_frames": False,
        "camera_group_data": {"description": "Harbour Street", "group_notes": {"properties": {"departemen": "Food"}}},
    },
    "frame_data": {
        "utc_time_recorded": T + 16.78,
        "utc_time_zone": -3,
        "frame_id": 93206,
        "bounding_box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4},
    },
    "appearance_data": {
        "appearance_id": "track-1",
        "utc_time_started": T,
        "first_frame_id": 93041,
        "fs_store": False,
    },
    "crop_data": {"frame_timestamp": T + 1.37, "face_score": 102.6, "masked_score": None, "face_crop_img": "/9j/4AAQ"},
    "match_data": {
        "poi_id": None,
        "poi_display_img": None,
        "poi_confidence": None,
        "watchlists": [{"watchlist_id": "", "watchlist_type": "whitelist", "match_outcome": "not_determined"}],
    },
    "face_features_data": {"age_group_outcome": "20-29", "gender_outcome": "Female", "mask_outcome": None},
    "updates": {"crop_data": ["face_crop_img"]},
    "trigger": 2,
    "signature": "c2lnbmF0dXJl",
    "privacy_profile_id": None,
}


def event(**blocks: dict[str, Any] | None) -> dict[str, Any]:
    """The event with some fields of some blocks replaced; None takes the block away."""
    changed = deepcopy(EVENT)
    for block, fields in blocks.items():
        if fields is None:
            del changed[block]
        else:
            changed[block] = changed.get(block, {}) | fields
    return changed


def appearance(raw: dict[str, Any]) -> Appearance:
    fact = normalise_event(raw, source="corsight:webhook", rules=RULES)
    assert isinstance(fact, Appearance)
    return fact


def reason(raw: object) -> str:
    with pytest.raises(RowError) as refused:
        normalise_event(raw, source="corsight:webhook", rules=RULES)
    assert refused.value.reason_code in REASONS
    return refused.value.reason_code


class TestAppearance:
    def test_of_the_live_feed(self) -> None:
        fact = appearance(EVENT)
        assert fact.appearance_key == fact.appearance_id == "track-1"
        assert fact.camera_id == "cam-1"
        assert fact.subject_id == "track:track-1"
        assert fact.person_id is None
        assert fact.started_at == START
        assert fact.reported_at == START + timedelta(seconds=26.8)
        assert fact.source == "corsight:webhook"
        assert (fact.age_group, fact.gender) == ("20-29", "female")
        assert (fact.camera_description, fact.camera_group, fact.department) == (
            "Entrance north",
            "Harbour Street",
            "Food",
        )

    def test_ends_so_far_when_it_was_reported(self) -> None:
        assert appearance(EVENT).ended_at == appearance(EVENT).reported_at == START + timedelta(seconds=26.8)

    @pytest.mark.parametrize(("ended", "seconds"), [(T + 20, 20.0), (T + 5, 5.0), (None, 26.8), ("", 26.8)])
    def test_an_end_that_is_told_counts_and_nothing_else(self, ended: object, seconds: float) -> None:
        fact = appearance(event(appearance_data={"utc_time_ended": ended}))
        assert fact.ended_at - fact.started_at == timedelta(seconds=seconds)

    def test_ends_at_its_frame_where_nothing_says_when_it_was_sent(self) -> None:
        unsent = EVENT | {"msg_send_timestamp": None}
        assert appearance(unsent).ended_at == appearance(unsent).reported_at == START + timedelta(seconds=16.78)

    def test_carries_what_is_not_modelled_but_no_pictures(self) -> None:
        extra = appearance(EVENT).extra
        assert extra["event_id"] == EVENT["event_id"]
        assert extra["trigger"] == 2
        assert extra["crop_data"] == {"frame_timestamp": T + 1.37, "face_score": 102.6}
        assert extra["match_data"]["watchlists"][0]["match_outcome"] == "not_determined"
        text = json.dumps(extra)
        assert "4AAQ" not in text
        assert "c2lnbmF0dXJl" not in text
        assert "Entrance north" not in text

    def test_an_over_long_text_is_no_field(self) -> None:
        assert "note" not in appearance(event(crop_data={"note": "x" * 5_000})).extra["crop_data"]

    def test_without_optional_blocks_stands(self) -> None:
        bare = {
            "camera_data": {"camera_id": "cam-1"},
            "appearance_data": {"appearance_id": "a", "utc_time_started": T, "utc_time_ended": T + 3},
        }
        fact = appearance(bare)
        assert (fact.age_group, fact.gender, fact.extra) == ("other", "other", {})
        assert fact.reported_at == fact.ended_at

    def test_of_the_history_may_name_the_person(self) -> None:
        assert appearance(EVENT | {"person_id": "p1"}).subject_id == "p1"

    def test_of_the_history_may_have_its_id_at_the_top(self) -> None:
        raw = event(appearance_data={"appearance_id": None}) | {"appearance_id": "top"}
        assert appearance(raw).appearance_key == "top"

    def test_is_whatever_has_a_track_under_any_type(self) -> None:
        assert appearance(EVENT | {"event_type": "appearance_closed"}).appearance_key == "track-1"
        flat = {"event_type": "exit", "person_id": "p", "camera_id": "c", "started_at": T, "ended_at": T + 5}
        assert appearance(flat).subject_id == "p"

    def test_may_be_wrapped_in_a_message_of_which_the_rest_is_kept(self) -> None:
        fact = appearance({"event": EVENT, "related_appearances": ["track-0"]})
        assert fact.appearance_key == "track-1"
        assert fact.extra == {"related_appearances": ["track-0"]} | appearance(EVENT).extra


class TestPersonOfInterest:
    @pytest.mark.parametrize(
        ("match", "subject_id"),
        [
            ({"poi_id": "x", "watchlists": [{"match_outcome": "matched"}]}, "poi:x"),
            ({"poi_id": "x", "watchlists": [{"match_outcome": "low_quality"}, {"match_outcome": "Matched"}]}, "poi:x"),
            ({"poi_id": "x", "poi_confidence": 85.5, "watchlists": []}, "poi:x"),
            ({"poi_id": "x", "watchlists": None}, "poi:x"),
            ({"poi_id": "x", "watchlists": [{"match_outcome": "not_determined"}]}, "track:track-1"),
            ({"poi_id": "x", "watchlists": [{"match_outcome": "low_quality"}]}, "track:track-1"),
            ({"poi_id": None, "watchlists": [{"match_outcome": "matched"}]}, "track:track-1"),
            ({"poi_id": "", "watchlists": []}, "track:track-1"),
        ],
        ids=str,
    )
    def test_is_named_by_a_match_and_not_by_a_listing(self, match: dict[str, Any], subject_id: str) -> None:
        assert appearance(event(match_data=match)).subject_id == subject_id


class TestReasons:
    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (event(camera_data={"camera_id": None}), "missing_camera"),
            (event(camera_data=None), "missing_camera"),
            (event(appearance_data={"appearance_id": ""}), "missing_person"),
            (event(appearance_data={"utc_time_started": None}), "missing_start"),
            (event(frame_data=None) | {"msg_send_timestamp": None}, "missing_end"),
            (event(appearance_data={"utc_time_started": "soon"}), "bad_timestamp"),
            (event(frame_data={"utc_time_recorded": [1]}), "bad_timestamp"),
            (event(appearance_data={"utc_time_started": "1.754E+09"}), "timestamp_precision_lost"),
            (EVENT | {"msg_send_timestamp": T - 1}, "negative_dwell"),
            (event(appearance_data={"utc_time_started": T - 90_000}), "implausible_dwell"),
            (event(frame_data={"utc_time_recorded": T + 3_901}) | {"msg_send_timestamp": None}, "future_timestamp"),
            (event(appearance_data={"appearance_id": "a" * 300}), "schema_violation"),
            (event(crop_data={"note": "a\0"}), "bad_encoding"),
            (event(crop_data={"note": "\udc00"}), "bad_encoding"),
            (event(camera_data={"camera_id": "\udc00"}, appearance_data={"utc_time_started": None}), "bad_encoding"),
            (event(camera_data={"camera_id": "a\0"}, appearance_data={"utc_time_started": None}), "bad_encoding"),
            (event(appearance_data={"appearance_id": ""}) | {"person_id": "\udc00"}, "bad_encoding"),
            ({"event_type": "server_status", "node": "a"}, "unknown_event_type"),
            ({"event_type": "door_opened", "camera_data": {"camera_id": "c"}}, "unknown_event_type"),
            ({"event_type": "door_opened", "camera_id": "c", "timestamp": T}, "unknown_event_type"),
            ({"event_type": "appearance", "poi": "p"}, "schema_violation"),
            ({}, "schema_violation"),
            ([], "schema_violation"),
            ("event", "schema_violation"),
        ],
        ids=lambda value: str(value)[-60:],
    )
    def test_every_reason_has_its_events(self, raw: object, code: str) -> None:
        assert reason(raw) == code

    def test_an_insight_from_recorded_video_is_kept_and_never_counted(self) -> None:
        raw = {"event_type": "crowd", "camera_id": "c", "utc_time_recorded": T, "analysis_mode": "forensics"}
        assert reason(raw) == "unknown_event_type"

    def test_what_is_wrong_with_a_picture_is_no_matter(self) -> None:
        assert appearance(event(crop_data={"face_crop_img": "a\0"})).extra == appearance(EVENT).extra

    def test_an_unknown_type_is_told_with_its_camera(self) -> None:
        with pytest.raises(RowError, match="door_opened") as refused:
            normalise_event({"event_type": "door_opened", "camera_data": {"camera_id": "c"}}, source="s", rules=RULES)
        assert refused.value.camera_id == "c"


class TestInsight:
    def insight(self, raw: dict[str, Any]) -> InsightEvent:
        fact = normalise_event(raw, source="corsight:webhook", rules=RULES)
        assert isinstance(fact, InsightEvent)
        return fact

    def test_of_the_vendors_own_type(self) -> None:
        raw = {
            "event_type": "generative_insight",
            "event_id": "i1",
            "msg_send_timestamp": T + 12,
            "camera_data": {"camera_id": "cam-1", "camera_description": "Aisle 3"},
            "frame_data": {"utc_time_recorded": T, "frame_img": "/9j/"},
            "generative_insight": {
                "insight_name": "Crowd at the till",
                "generative_insight_config": {"people_count": 9},
            },
        }
        fact = self.insight(raw)
        assert (fact.insight_id, fact.kind, fact.camera_id, fact.people_count) == ("i1", "crowd", "cam-1", 9)
        assert fact.started_at == START
        assert fact.reported_at == START + timedelta(seconds=12)
        assert fact.raw["generative_insight"] == raw["generative_insight"]
        assert fact.raw["frame_data"] == {"utc_time_recorded": T}

    def test_without_a_time_is_of_when_it_was_sent(self) -> None:
        raw = {
            "event_type": "generative_insight",
            "msg_send_timestamp": T,
            "camera_data": {"camera_id": "c"},
            "generative_insight": {"insight_name": "loitering"},
        }
        fact = self.insight(raw)
        assert (fact.started_at, fact.kind) == (START, "loitering")

    @pytest.mark.parametrize("event_type", ["crowd", "loiter", "Crowd Detected"])
    def test_of_a_crowd_or_loitering_type(self, event_type: str) -> None:
        fact = self.insight({"event_type": event_type, "camera_id": "c", "utc_time_recorded": T, "person_id": "p"})
        assert fact.kind in {"crowd", "loitering"}
        assert fact.subject_id == "p"


class TestFilesOfEvents:
    def read(self, text: str) -> tuple[list[Appearance], list[tuple[int, str]]]:
        chunks = list(read_appearances(io.BytesIO(text.encode()), source_prefix="upload:u", now=RULES.now))
        return (
            [item for chunk in chunks for item in chunk.items],
            [(reject.row, reject.reason_code) for chunk in chunks for reject in chunk.rejects],
        )

    @pytest.mark.parametrize("shape", ["array", "data", "matches", "lines"])
    def test_may_be_arrays_or_lines(self, shape: str) -> None:
        events = [EVENT, event(camera_data=None), EVENT]
        text = {
            "array": json.dumps(events),
            "data": json.dumps({"data": events}),
            "matches": json.dumps({"metadata": {"msg": "ok"}, "data": {"matches": events}}, indent=2),
            "lines": "\n".join(json.dumps(one) for one in events),
        }[shape]
        items, rejects = self.read(text)
        assert [item.source for item in items] == ["upload:u#1", "upload:u#3"]
        assert rejects == [(2, "missing_camera")]

    def test_may_be_flat_with_the_names_of_the_csv(self) -> None:
        flat = {
            "Person ID": "p1",
            "camera_id": 7,
            "utc_time_started": T,
            "utc_time_ended_readable": "2026-03-09 09:00:30",
            "gender_outcome": None,
            "face_score": 99.5,
            "face_crop_img": "/9j/",
        }
        items, _ = self.read(json.dumps([flat, {**flat, "Person ID": None}, flat]))
        assert items[0].subject_id == "p1"
        assert items[0].camera_id == "7"
        assert items[0].ended_at == START + timedelta(seconds=30)
        assert items[0].extra == {"face_score": 99.5}

    def test_hold_no_insights(self) -> None:
        insight = {"event_type": "crowd", "camera_id": "c", "utc_time_recorded": T}
        items, rejects = self.read("\n".join(json.dumps(one) for one in [EVENT, insight]))
        assert len(items) == 1
        assert rejects == [(2, "schema_violation")]
