import json
from typing import Any

import pytest

from services.common.corsight.chunks import RowRules
from services.ingest.intake import Taken, UnreadableError, read_elements, take
from tests.support.vendor_events import NOON, STATUS_EVENT, appearance_event, crowd_event

SOURCE = "corsight:webhook"
RULES = RowRules(NOON)


def taken(elements: Any) -> Taken:
    return take(read_elements(json.dumps(elements).encode(), SOURCE), SOURCE, RULES)


class TestTake:
    def test_one_event_or_an_array_of_them_is_taken(self) -> None:
        assert len(taken(appearance_event()).appearances) == 1
        assert len(taken([appearance_event(1), appearance_event(2)]).appearances) == 2
        assert taken([]).accepted == 0

    def test_every_element_is_in_exactly_one_place(self) -> None:
        found = taken([appearance_event(), crowd_event(), STATUS_EVENT, 5, {"event_type": "appearance"}])
        assert (len(found.appearances), len(found.insights), found.signs_of_life) == (1, 1, 1)
        assert (found.accepted, found.rejected, found.unknown) == (3, 2, 0)

    def test_an_event_of_a_type_that_nobody_knows_is_kept_and_is_no_fault(self) -> None:
        found = taken([appearance_event(), {"event_type": "door_opened", "camera_data": {"camera_id": "c1"}}])
        assert (found.accepted, found.rejected, found.unknown) == (1, 0, 1)
        [kept] = found.refused
        assert (kept.reason_code, kept.camera_id) == ("unknown_event_type", "c1")

    def test_recorded_video_is_kept_apart(self) -> None:
        found = taken([appearance_event(1), appearance_event(2, analysis_mode="investigate")])
        assert [fact.appearance_key for fact in found.appearances] == ["track-1"]
        assert [fact.appearance_key for fact in found.forensic] == ["track-2"]
        assert found.accepted == 2

    def test_an_event_may_come_as_a_text_that_holds_it(self) -> None:
        found = taken([json.dumps(appearance_event()), "no JSON"])
        assert len(found.appearances) == 1
        assert [refused.reason_code for refused in found.refused] == ["bad_json"]

    def test_facts_name_the_connector_as_their_source(self) -> None:
        found = taken([appearance_event(), crowd_event()])
        assert [fact.source for fact in found.appearances] + [fact.source for fact in found.insights] == [SOURCE] * 2

    @pytest.mark.parametrize("name", ["server_status", "Status", "camera_status_update"])
    def test_a_status_event_is_a_sign_of_life_whatever_its_exact_name(self, name: str) -> None:
        assert taken({"event_type": name}).signs_of_life == 1

    def test_a_status_of_something_else_is_an_event_of_an_unknown_type(self) -> None:
        [refused] = taken({"event_type": "watchlist_status_changed"}).refused
        assert refused.reason_code == "unknown_event_type"

    def test_an_appearance_is_no_status_even_where_its_type_says_so(self) -> None:
        assert len(taken(appearance_event() | {"event_type": "status"}).appearances) == 1


class TestRefusals:
    def test_a_bad_element_is_kept_as_it_came_with_its_reason(self) -> None:
        bad = appearance_event(camera_id="") | {"note": None}
        del bad["crop_data"]
        [refused] = taken([bad]).refused
        assert refused.reason_code == "missing_camera"
        assert json.loads(refused.raw) == bad

    def test_but_without_pictures(self) -> None:
        [refused] = taken([appearance_event(camera_id="")]).refused
        assert json.loads(refused.raw)["crop_data"] == {"face_score": 101.5}

    def test_the_same_content_again_is_the_same_refusal_and_other_content_is_another(self) -> None:
        first, again, other = (taken([event]).refused[0] for event in (5, 5, 6))
        assert first.quarantine_id == again.quarantine_id
        assert first.quarantine_id != other.quarantine_id
        assert first.source.startswith("corsight:webhook#")

    @pytest.mark.parametrize(
        ("element", "reason_code"),
        [(b'{"a": "\xff"}', "bad_encoding"), (b'{"a": "\\ud800"}', "bad_json"), (b'{"a": NaN}', "bad_json")],
    )
    def test_a_text_that_is_none_harms_no_neighbour(self, element: bytes, reason_code: str) -> None:
        body = b"[" + element + b"," + json.dumps(appearance_event()).encode() + b"]"
        found = take(read_elements(body, SOURCE), SOURCE, RULES)
        assert len(found.appearances) == 1
        assert [(refused.reason_code, refused.raw) for refused in found.refused] == [(reason_code, element)]

    def test_nesting_without_end_harms_nothing(self) -> None:
        deep = "[" * 600 + "]" * 600
        found = take(read_elements(f"[{deep},{json.dumps(appearance_event())}]".encode(), SOURCE), SOURCE, RULES)
        assert len(found.appearances) == 1
        assert [refused.reason_code for refused in found.refused] == ["schema_violation"]


class TestReadElements:
    @pytest.mark.parametrize("body", [b"", b"[{]", b'{"event_type":"app', b"[" * 100_000])
    def test_a_body_that_is_no_json_is_refused_whole(self, body: bytes) -> None:
        with pytest.raises(UnreadableError) as raised:
            read_elements(body, SOURCE)
        assert raised.value.refusal.reason_code == "bad_json"
        assert body.startswith(raised.value.refusal.raw)
