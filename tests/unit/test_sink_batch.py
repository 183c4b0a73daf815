from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

import msgspec
import pytest
from msgspec import Struct

from services.common.events.alerts import AlertRule
from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.common import Envelope
from services.common.events.sessions import revision_after
from services.common.kafka.envelopes import BadItem
from services.common.kafka.quarantine import refuse_record
from services.common.sessions import session_of
from services.common.topics import Topic
from services.processor.agents import AppearancesHandler
from services.processor.settings import ProcessorSettings
from services.sink.domain.batch import Batch, Held, Partition, reading

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Record(Struct, frozen=True):
    offset: int
    value: bytes | None
    key: bytes | None = b"c1"


class Message(Struct, frozen=True):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Event(Struct, frozen=True):
    message: Message


def appearance(key: str) -> Appearance:
    return Appearance(
        appearance_key=key,
        camera_id="c1",
        subject_id="p",
        started_at=NOON,
        ended_at=NOON,
        reported_at=NOON,
        source="upload:1#2",
    )


def envelope(items: Sequence[object]) -> bytes:
    return msgspec.json.encode(Envelope(camera_id="c1", source="test", items=list(items)))


def read(
    polled: Mapping[Partition, Sequence[Record]],
    max_dwell: timedelta,
    appearances_offsets: Mapping[int, int],
    let_pass: Mapping[int, int] = MappingProxyType({}),
) -> Batch:
    batch = Batch()
    for _ in reading(batch, polled, max_dwell, appearances_offsets, let_pass):
        pass
    return batch


class TestRead:
    def test_items_know_their_place_and_reading_goes_on_after_the_last_record(self) -> None:
        records = [Record(7, envelope([appearance("a"), appearance("b")])), Record(9, envelope([appearance("c")]))]
        batch = read({(Topic.APPEARANCES, 3): records}, DAY, {})
        places = [(each.item.appearance_key, each.offset, each.position) for each in batch.items[Topic.APPEARANCES]]
        assert places == [("a", 7, 0), ("b", 7, 1), ("c", 9, 0)]
        assert batch.following == {(Topic.APPEARANCES, 3): 10}
        assert batch.unreadable == []

    def test_a_broken_item_is_refused_and_its_neighbours_are_kept_at_their_places(self) -> None:
        records = [Record(7, envelope([appearance("a"), {"appearance_key": 5}, appearance("b")]))]
        batch = read({(Topic.APPEARANCES, 3): records}, DAY, {})
        places = [(each.item.appearance_key, each.position) for each in batch.items[Topic.APPEARANCES]]
        assert places == [("a", 0), ("b", 2)]
        [refused] = batch.unreadable
        assert (refused.source, refused.reason_code) == ("kafka:appearances.v1/3/7#1", "schema_violation")
        assert refused.camera_id == "c1"

    def test_an_unreadable_record_is_refused_whole_and_passed(self) -> None:
        records = [Record(7, b"\xff\xfe"), Record(8, None), Record(9, envelope([appearance("a")]))]
        batch = read({(Topic.APPEARANCES, 0): records}, DAY, {})
        assert [each.source for each in batch.unreadable] == ["kafka:appearances.v1/0/7", "kafka:appearances.v1/0/8"]
        assert [each.item.appearance_key for each in batch.items[Topic.APPEARANCES]] == ["a"]
        assert batch.following == {(Topic.APPEARANCES, 0): 10}

    @pytest.mark.parametrize("topic", [Topic.CAMERAS, Topic.ALERT_RULES])
    def test_a_tombstone_is_passed_without_a_word(self, topic: Topic) -> None:
        batch = read({(topic, 2): [Record(7, None)]}, DAY, {})
        assert (batch.following, batch.unreadable) == ({(topic, 2): 8}, [])
        assert not batch.items.get(topic)

    @pytest.mark.parametrize(
        ("stored", "heard", "following", "held"),
        [
            ({}, [], 7, Held(7, 5)),
            ({3: 4}, [], 7, Held(7, 5)),
            ({3: 5}, [], 9, None),
            ({2: 5}, [4], 9, None),
            ({3: 3}, [3], 7, Held(7, 5)),
        ],
        ids=["nothing stored", "too little stored", "stored", "in the same batch", "too little in the same batch"],
    )
    def test_a_session_record_and_what_follows_wait_for_the_appearances(
        self, stored: dict[int, int], heard: list[int], following: int, held: Held | None
    ) -> None:
        seen = MergedAppearance.of(appearance("a"))
        records = [
            Record(6, envelope([session_of("c1", "p", [seen], revision_after(0))])),
            Record(7, envelope([session_of("c1", "p", [seen], revision_after(offset)) for offset in (1, 4)])),
            Record(8, envelope([session_of("c1", "p", [seen], revision_after(0))])),
        ]
        appearances = [Record(offset, envelope([appearance("a")])) for offset in heard]
        batch = read({(Topic.SESSIONS, 3): records, (Topic.APPEARANCES, 3): appearances}, DAY, {3: 1, **stored})
        assert batch.following.get((Topic.SESSIONS, 3)) == following
        assert batch.held == ({3: held} if held else {})
        assert len(batch.items[Topic.SESSIONS]) == (1 if held else 4)

    def test_session_records_before_an_offset_are_let_pass_and_those_behind_it_are_not(self) -> None:
        seen = MergedAppearance.of(appearance("a"))
        records = [
            Record(offset, envelope([session_of("c1", "p", [seen], revision_after(99))])) for offset in (6, 7, 8)
        ]
        batch = read({(Topic.SESSIONS, 3): records}, DAY, {3: 5}, {3: 8, 4: 9})
        assert batch.following == {(Topic.SESSIONS, 3): 8}
        assert batch.held == {3: Held(8, 100)}

    def test_a_refusal_has_the_identity_that_every_other_reader_of_the_record_gives_it(self) -> None:
        [refused] = read({(Topic.SESSIONS, 4): [Record(11, b"{")]}, DAY, {}).unreadable
        elsewhere = refuse_record(Topic.SESSIONS, 4, 11, BadItem(b"{", refused.reason_code, "any words"), None)
        assert refused.quarantine_id == elsewhere.quarantine_id

    def test_a_report_that_the_processor_refuses_is_no_row_and_the_same_entry(self) -> None:
        reports = [
            {},
            appearance("a"),
            msgspec.structs.replace(appearance("b"), camera_id="c2"),
            msgspec.structs.replace(appearance("c"), ended_at=NOON - DAY),
            msgspec.structs.replace(appearance("d"), ended_at=NOON + 2 * DAY),
        ]
        record = Record(7, envelope(reports))
        batch = read({(Topic.APPEARANCES, 3): [record]}, DAY, {})
        assert [each.item.appearance_key for each in batch.items[Topic.APPEARANCES]] == ["a"]
        assert [(each.source, each.reason_code) for each in batch.unreadable] == [
            ("kafka:appearances.v1/3/7", "schema_violation"),
            ("kafka:appearances.v1/3/7#2", "schema_violation"),
            ("kafka:appearances.v1/3/7#3", "negative_dwell"),
            ("kafka:appearances.v1/3/7#4", "implausible_dwell"),
        ]
        processor = AppearancesHandler(ProcessorSettings(implausible_dwell_hours=24), cast(Any, None), cast(Any, None))
        admitted, refused = processor._admit(cast(Any, Event(Message(3, record.offset, record.key, record.value))))
        assert [each.appearance_key for each in admitted] == ["a"]
        assert [each.quarantine_id for each in refused] == [each.quarantine_id for each in batch.unreadable]

    def test_a_key_that_names_no_camera_is_not_taken_for_one(self) -> None:
        polled: dict[tuple[str, int], list[Record]] = {
            (Topic.APPEARANCES, 0): [Record(1, b"{", b"\xff"), Record(2, b"{", b"c\0"), Record(3, b"{", None)],
            (Topic.ALERT_RULES, 0): [Record(1, b"{", b"rule-1")],
        }
        assert [each.camera_id for each in read(polled, DAY, {}).unreadable] == [None] * 4

    def test_an_item_that_the_database_refuses_is_kept_as_it_was(self) -> None:
        rule = AlertRule(
            rule_id="r", version=1, name="n\0", kind="dwell_exceeded", threshold=1, severity="low", updated_at=NOON
        )
        [placed] = read({(Topic.ALERT_RULES, 5): [Record(1, envelope([rule]))]}, DAY, {}).items[Topic.ALERT_RULES]
        refused = placed.refused("PostgreSQL refuses it")
        assert msgspec.json.decode(refused.raw, type=AlertRule) == rule
        assert (refused.source, refused.camera_id) == ("kafka:alert.rules.v1/5/1", None)
