import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.common.events.appearances import Appearance
from services.common.events.common import MAX_ENVELOPE_ITEMS, Envelope
from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import MAX_ENVELOPE_BYTES, decode, decode_bare, envelopes
from services.common.kafka.quarantine import MAX_RAW_BYTES, refuse, refuse_record
from services.common.topics import Topic

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def appearance(key: str, camera_id: str = "c1") -> Appearance:
    return Appearance(
        appearance_key=key,
        camera_id=camera_id,
        subject_id="p1",
        person_id="p1",
        started_at=NOON,
        ended_at=NOON,
        reported_at=NOON,
        source="test",
    )


def record(*items: Any, camera_id: str | None = "c1") -> bytes:
    return msgspec.json.encode({"camera_id": camera_id, "source": "test", "items": items})


class TestDecode:
    def test_items_come_out_as_they_went_in(self) -> None:
        [(key, value)] = envelopes(Topic.APPEARANCES, [appearance("a"), appearance("b")], "test")
        decoded = decode(Topic.APPEARANCES, value)
        assert (key, decoded.items, decoded.bad) == (b"c1", [appearance("a"), appearance("b")], [])

    def test_a_bad_item_costs_its_neighbours_nothing(self) -> None:
        bad = {"appearance_key": "b", "camera_id": 7}
        decoded = decode(Topic.APPEARANCES, record(appearance("a"), bad, appearance("c"), {}))
        assert [item.appearance_key for item in decoded.items] == ["a", "c"]
        assert [(item.position, item.reason_code) for item in decoded.bad] == [
            (1, "schema_violation"),
            (3, "schema_violation"),
        ]
        assert json.loads(decoded.bad[0].raw) == bad

    @pytest.mark.parametrize(
        ("value", "reason_code"),
        [
            pytest.param(None, "schema_violation", id="no value"),
            pytest.param(b"", "bad_json", id="empty"),
            pytest.param(record(appearance("a"))[:-9], "bad_json", id="truncated"),
            pytest.param(b"\xff\xfe{}", "bad_json", id="no JSON at all"),
            pytest.param(b'{"camera_id":"c1","source":"\xff","items":[{}]}', "bad_encoding", id="bad UTF-8"),
            pytest.param(b"[]", "schema_violation", id="not an object"),
            pytest.param(record(), "schema_violation", id="no items"),
            pytest.param(b'{"camera_id":"c1","source":"test"}', "schema_violation", id="items missing"),
            pytest.param(b'{"camera_id":"c1","source":"test","items":[NaN]}', "bad_json", id="not a number"),
        ],
    )
    def test_a_record_that_cannot_be_read_is_one_bad_item(self, value: bytes | None, reason_code: str) -> None:
        decoded = decode(Topic.APPEARANCES, value)
        assert decoded.items == []
        [bad] = decoded.bad
        assert (bad.raw, bad.reason_code, bad.position) == (value or b"", reason_code, 0)
        assert bad.reason

    def test_an_item_in_bad_utf8_costs_its_neighbours_nothing(self) -> None:
        value = record(appearance("a"), appearance("b")).replace(b'"appearance_key":"b"', b'"appearance_key":"\xff"')
        decoded = decode(Topic.APPEARANCES, value)
        assert [item.appearance_key for item in decoded.items] == ["a"]
        assert [(bad.position, bad.reason_code) for bad in decoded.bad] == [(1, "bad_encoding")]


class TestDecodeBare:
    def test_the_vendors_fields_stay_as_they_came(self) -> None:
        [item] = decode_bare(record({**msgspec.to_builtins(appearance("a")), "extra": {"b": 1, "a": "é"}})).items
        assert (item.appearance_key, bytes(item.extra)) == ("a", '{"b":1,"a":"é"}'.encode())

    def test_bytes_that_are_no_text_are_found_among_them_too(self) -> None:
        value = record(appearance("a"), {**msgspec.to_builtins(appearance("b")), "extra": {"note": "here"}})
        decoded = decode_bare(value.replace(b"here", b"\xff"))
        assert [item.appearance_key for item in decoded.items] == ["a"]
        assert [(item.position, item.reason_code) for item in decoded.bad] == [(1, "bad_encoding")]


class TestEnvelopes:
    def test_items_are_grouped_by_camera_in_order(self) -> None:
        items = [appearance("a", "c1"), appearance("b", "c2"), appearance("c", "c1")]
        found = [
            (key, [item["appearance_key"] for item in json.loads(value)["items"]])
            for key, value in envelopes(Topic.APPEARANCES, items, "test")
        ]
        assert found == [(b"c1", ["a", "c"]), (b"c2", ["b"])]

    def test_no_envelope_holds_more_than_its_limit(self) -> None:
        items = [appearance(str(n)) for n in range(MAX_ENVELOPE_ITEMS + 1)]
        decoded = [decode(Topic.APPEARANCES, value).items for _, value in envelopes(Topic.APPEARANCES, items, "test")]
        assert [len(part) for part in decoded] == [MAX_ENVELOPE_ITEMS, 1]
        assert [item for part in decoded for item in part] == items

    def test_large_items_are_spread_so_that_kafka_takes_every_record(self) -> None:
        large = "x" * (MAX_ENVELOPE_BYTES // 3)
        items = [msgspec.structs.replace(appearance(str(n)), extra={"note": large}) for n in range(5)]
        values = [value for _, value in envelopes(Topic.APPEARANCES, items, "test")]
        assert [len(decode(Topic.APPEARANCES, value).items) for value in values] == [2, 2, 1]

    def test_quarantine_is_keyed_by_camera_or_else_by_source(self) -> None:
        known = refuse("upload:1#1", "bad_timestamp", "why", b"row", "c1")
        unknown = refuse("upload:1#2", "missing_camera", "why", b"row")
        found = list(envelopes(Topic.QUARANTINE, [known, unknown], "test"))
        assert [key for key, _ in found] == [b"c1", b"upload:1#2"]
        generic: Any = Envelope
        read = msgspec.json.decode(found[1][1], type=generic[Quarantined])
        assert (read.camera_id, read.items) == (None, [unknown])


class TestRefusals:
    def test_the_same_refusal_again_has_the_same_identity(self) -> None:
        first = refuse("upload:1#1", "bad_timestamp", "why", b"row")
        assert refuse("upload:1#1", "bad_timestamp", "other words", b"row").quarantine_id == first.quarantine_id
        assert refuse("upload:1#2", "bad_timestamp", "why", b"row").quarantine_id != first.quarantine_id

    def test_every_bad_item_of_a_record_has_its_own_identity(self) -> None:
        decoded = decode(Topic.APPEARANCES, record({}, {}, {}))
        refused = [refuse_record(Topic.APPEARANCES, 3, 1042, bad, None) for bad in decoded.bad]
        assert refused[0].source == "kafka:appearances.v1/3/1042"
        assert len({item.quarantine_id for item in refused}) == 3

    def test_raw_bytes_survive_and_are_cut_at_the_limit(self) -> None:
        raw = bytes(range(256)) * 512
        [(_, value)] = envelopes(Topic.QUARANTINE, [refuse("s", "bad_json", "why", raw)], "test")
        [read] = decode(Topic.QUARANTINE, value).items
        assert read.raw == raw[:MAX_RAW_BYTES]
