from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from services.common.events.appearances import Appearance, Naming
from services.common.events.cameras import Camera
from services.sink.appearances import values_of, values_of_one
from services.sink.domain.rows import AppearanceRow, CameraRow, canonical_extra, changed, merged, newest
from tests.support.facts import merged_insight

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

REPORT = Appearance(
    appearance_key="a",
    appearance_id="a",
    camera_id="c1",
    subject_id="track:a",
    started_at=NOON,
    ended_at=NOON,
    reported_at=NOON,
    source="upload:1#2",
)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Revised(Struct, frozen=True):
    key: str
    revision: int
    text: str = ""


class TestNewest:
    @pytest.mark.parametrize(
        ("items", "kept"),
        [
            ([], []),
            ([Revised("a", 1), Revised("a", 2)], [Revised("a", 2)]),
            ([Revised("a", 2), Revised("a", 1)], [Revised("a", 2)]),
            ([Revised("a", 1, "first"), Revised("a", 1, "second")], [Revised("a", 1, "first")]),
            ([Revised("a", 1), Revised("b", 1), Revised("a", 3)], [Revised("a", 3), Revised("b", 1)]),
        ],
    )
    def test_keeps_of_each_key_the_greatest_revision(self, items: list[Revised], kept: list[Revised]) -> None:
        assert newest(items, lambda item: item.key, lambda item: item.revision) == kept


# Few values, so that ties and repeats are common.
instants = st.integers(0, 3).map(at)
texts = st.sampled_from([None, "x", "y"])


@st.composite
def reports(draw: st.DrawFn) -> Appearance:
    started_at, ended_at = sorted([draw(instants), draw(instants)])
    return replace(
        REPORT,
        started_at=started_at,
        ended_at=ended_at,
        reported_at=draw(instants),
        source=draw(st.sampled_from(["upload:1#2", "corsight:webhook"])),
        person_id=draw(texts),
        gender=draw(st.sampled_from(["other", "male"])),
        camera_description=draw(texts),
        zone=draw(texts),
        extra=draw(st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2)),
    )


def as_stored(values: tuple[object, ...]) -> list[object]:
    """With the vendor's fields decoded: their text may differ."""
    return [msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value for value in values]


appearance_rows = st.builds(AppearanceRow.of, reports(), st.integers(0, 3))


class TestAppearanceRow:
    @given(appearance_rows, appearance_rows, appearance_rows)
    def test_merging_is_commutative_associative_and_idempotent(
        self, a: AppearanceRow, b: AppearanceRow, c: AppearanceRow
    ) -> None:
        assert a.merge(b) == b.merge(a)
        assert a.merge(b).merge(c) == a.merge(b.merge(c))
        assert a.merge(b).merge(b) == a.merge(b)

    def test_source_and_extra_are_those_of_the_latest_report(self) -> None:
        first = AppearanceRow.of(replace(REPORT, source="upload:1#2", extra={"score": 1}), 4)
        second = AppearanceRow.of(replace(REPORT, source="corsight:sse", extra={"score": 2}, reported_at=at(1)), 2)
        row = second.merge(first)
        assert (row.source, row.extra) == ("corsight:sse", '{"score":2}')

    def test_it_keeps_the_revision_of_its_first_report(self) -> None:
        first, second = AppearanceRow.of(REPORT, 2), AppearanceRow.of(replace(REPORT, ended_at=at(9)), 8)
        assert second.merge(first).first_revision == 2

    @given(st.lists(reports(), min_size=1, max_size=6), st.integers(0, 6))
    def test_the_cut_into_batches_changes_nothing(self, told: list[Appearance], cut: int) -> None:
        rows = [AppearanceRow.of(report, 2 * number) for number, report in enumerate(told)]
        stored = merged(rows[:cut])
        for row in changed(merged(rows[cut:]), stored):
            stored[row.key] = row
        assert stored == merged(reversed(rows))

    @given(reports(), st.sampled_from([None, "", "7"]), st.integers(0, 3))
    def test_one_report_alone_has_the_values_of_its_row(
        self, report: Appearance, poi: str | None, revision: int
    ) -> None:
        report = replace(report, poi_id=poi)
        assert as_stored(values_of_one(report, revision)) == as_stored(values_of(AppearanceRow.of(report, revision)))

    @pytest.mark.parametrize(
        ("reported", "as_jsonb"),
        [
            (b'{"b":1,"a":"x"}', b'{"a": "x", "b": 1}'),
            (b'{"a":7,"a":1.5}', b'{"a": 1.50}'),
            (b'{"a":"\\u00e9"}', '{"a": "é"}'.encode()),
        ],
        ids=["order", "the last of a name", "escapes"],
    )
    def test_the_vendors_fields_are_compared_by_what_they_mean(self, reported: bytes, as_jsonb: bytes) -> None:
        assert canonical_extra(msgspec.Raw(reported)) == canonical_extra(msgspec.Raw(as_jsonb))

    def test_a_number_beyond_all_floats_spoils_nothing(self) -> None:
        assert canonical_extra(msgspec.Raw(b'{"a":1e400}')) == '{"a":1e400}'

    def test_what_is_stored_already_is_not_written_again(self) -> None:
        row = AppearanceRow.of(REPORT, 2)
        later = AppearanceRow.of(replace(REPORT, ended_at=at(5)), 2)
        assert changed(merged([row]), {row.key: row}) == []
        assert changed(merged([row]), {later.key: later}) == []
        assert changed(merged([later]), {row.key: row}) == [later]


def camera_rows(items: list[Any]) -> CameraRow:
    return reduce(CameraRow.merge, map(CameraRow.of, items))


class TestCameraRow:
    @given(st.lists(reports(), min_size=1, max_size=5), st.randoms())
    def test_the_order_of_reports_changes_nothing(self, told: list[Appearance], random: Any) -> None:
        row = camera_rows(told)
        random.shuffle(told)
        assert camera_rows(told) == row

    def test_each_field_keeps_the_latest_value_that_any_report_gave(self) -> None:
        upload = replace(REPORT, camera_description="Front door", camera_group="Riverside", zone="Hall")
        live = replace(REPORT, reported_at=at(60), camera_description="Main entrance")
        row = camera_rows([live, upload])
        assert row.description == Naming(at(60), "Main entrance")
        assert row.camera_group == Naming(NOON, "Riverside")
        assert row.zone == Naming(NOON, "Hall")

    def test_only_live_sources_tell_when_a_camera_last_saw_anybody(self) -> None:
        assert camera_rows([REPORT]).last_seen_at is None
        live = replace(REPORT, source="corsight:webhook", ended_at=at(9))
        assert camera_rows([live, REPORT]).last_seen_at == at(9)

    def test_the_latest_heartbeat_holds(self) -> None:
        camera = Camera(camera_id="c1", source="corsight:webhook", heartbeat_at=at(5), last_seen_at=at(2))
        row = camera_rows([camera, replace(camera, heartbeat_at=at(3), last_seen_at=None, description="Till 1")])
        assert row.heartbeat == Naming(at(5), "corsight:webhook")
        assert row.last_seen_at == at(2)
        assert row.description == Naming(at(3), "Till 1")

    def test_an_insight_names_a_camera_only_until_anybody_else_does(self) -> None:
        insight = merged_insight("i", "c1", 500, raw={"camera_description": "Camera 1"})
        described = replace(REPORT, camera_description="Front door")
        assert camera_rows([insight]).description == Naming(datetime(1970, 1, 1, tzinfo=UTC), "Camera 1")
        assert camera_rows([described, insight]).description == Naming(NOON, "Front door")
        assert camera_rows([replace(insight, raw={"camera_description": 7})]).description is None
