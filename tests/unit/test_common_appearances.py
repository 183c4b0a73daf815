from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from services.common.events.appearances import Appearance, MergedAppearance, appearance_key, subject_id_of
from services.common.events.common import canonical_json, isoformat, stable_id

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

# Few values, so that ties and repeats are common.
instants = st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds))
names = st.sampled_from([None, "x", "y"])


@st.composite
def reports(draw: st.DrawFn) -> MergedAppearance:
    started_at, ended_at = sorted([draw(instants), draw(instants)])
    return MergedAppearance.of(
        Appearance(
            appearance_key="a",
            appearance_id="a",
            camera_id="c1",
            subject_id="whatever",
            started_at=started_at,
            ended_at=ended_at,
            reported_at=draw(instants),
            source="test",
            person_id=draw(names),
            poi_id=draw(names),
            age_group=draw(st.sampled_from(["other", "20-29", "30-39"])),
            gender=draw(st.sampled_from(["other", "male", "female"])),
        )
    )


class TestMerge:
    @given(reports(), reports())
    def test_is_commutative(self, a: MergedAppearance, b: MergedAppearance) -> None:
        assert a.merge(b) == b.merge(a)

    @given(reports(), reports(), reports())
    def test_is_associative(self, a: MergedAppearance, b: MergedAppearance, c: MergedAppearance) -> None:
        assert a.merge(b).merge(c) == a.merge(b.merge(c))

    @given(reports(), reports())
    def test_is_idempotent(self, a: MergedAppearance, b: MergedAppearance) -> None:
        assert a.merge(a) == a
        assert a.merge(b).merge(b) == a.merge(b)

    @given(st.lists(reports(), min_size=1, max_size=6))
    def test_spans_all_reports_and_keeps_who_was_ever_named(self, told: list[MergedAppearance]) -> None:
        merged = reduce(MergedAppearance.merge, told)
        assert merged.started_at == min(report.started_at for report in told)
        assert merged.ended_at == max(report.ended_at for report in told)
        assert merged.reported_at == max(report.reported_at for report in told)
        assert (merged.person is not None) == any(report.person for report in told)
        if not any(report.person or report.poi for report in told):
            assert merged.subject_id == "track:a"


class TestIdentity:
    def test_the_vendors_id_is_the_key_and_else_a_hash_of_who_where_and_when(self) -> None:
        assert appearance_key("a", "p1", "c1", NOON) == "a"
        hashed = appearance_key(None, "p1", "c1", NOON)
        assert hashed == appearance_key("", "p1", "c1", NOON)
        others = [
            appearance_key(None, "p2", "c1", NOON),
            appearance_key(None, "p1", "c2", NOON),
            appearance_key(None, "p1", "c1", NOON + timedelta(microseconds=1)),
        ]
        assert len({hashed, *others}) == 4

    def test_a_subject_is_the_person_then_the_person_of_interest_then_the_track(self) -> None:
        assert subject_id_of("p1", "x", "a") == "p1"
        assert subject_id_of(None, "x", "a") == "poi:x"
        assert subject_id_of(None, None, "a") == "track:a"

    def test_a_stable_id_keeps_its_parts_apart(self) -> None:
        assert stable_id("ab", "c") == stable_id("ab", "c")
        assert stable_id("ab", "c") != stable_id("a", "bc")
        # Written down once: identities outlive processes and releases.
        assert stable_id("c1", "p1", "a") == "34062375a6a2025065bf67ebc13b6cab"

    def test_canonical_json_sorts_keys_and_instants_always_show_microseconds(self) -> None:
        assert canonical_json({"b": 1, "a": {"d": None, "c": "ü"}}) == '{"a":{"c":"ü","d":null},"b":1}'
        assert isoformat(NOON) == "2026-03-10T12:00:00.000000+00:00"
