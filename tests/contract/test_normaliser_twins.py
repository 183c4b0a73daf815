"""The scalar and the vectorised normaliser are one contract: whatever the cells, both say the same."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.corsight.chunks import RowError, RowRules, is_kept
from services.common.corsight.columns import map_columns
from services.common.corsight.csv import read_appearances
from services.common.corsight.demographics import age_group_of, age_groups_of, gender_of, genders_of
from services.common.corsight.event import normalise_event
from services.common.corsight.insight_report import read_insights
from services.common.corsight.instants import as_datetimes, parse_instants
from services.common.corsight.rows import appearance_of
from services.common.corsight.timestamps import TimestampError, parse_instant
from services.common.events.appearances import Appearance
from tests.unit.test_corsight_demographics import UNDECIDED
from tests.unit.test_corsight_timestamps import BAD, FORMS

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
ZONES = (
    UTC,
    *map(
        ZoneInfo,
        (
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Jakarta",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Africa/Casablanca",
        ),
    ),
)
COLUMNS = (
    "person_id", "camera_id", "appearance_id", "utc_time_started_readable", "utc_time_started",
    "utc_time_ended_readable", "utc_time_ended", "msg_send_timestamp", "utc_time_recorded_readable",
    "utc_time_recorded", "poi_id", "match_outcome", "age_group_outcome", "gender_outcome", "camera_description",
    "camera_group_data_group_name", "zone_name", "face_score", "face_crop_img",
)  # fmt: skip

NULLS = ["", " ", "null", "None", "NaN", "n/a", "undefined"]
WRITERS: list[Callable[[datetime], str]] = [
    lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    lambda t: t.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    lambda t: t.strftime("%Y-%m-%d %H:%M:%S+07:00"),
    lambda t: t.strftime("%Y-%m-%d %H:%M:%S -0330"),
    lambda t: t.strftime("%Y-%m-%d %H:%M"),
    lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02}",
    lambda t: t.strftime("%m/%d/%Y %H:%M:%S"),
    lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02}:{t.second:02}.{t.microsecond:06}",
    lambda t: f"{t.timestamp():.6f}",
    lambda t: f"{t.timestamp():.0f}",
    lambda t: f"{t.timestamp() * 1000:.0f}",
    lambda t: f"{t.timestamp():.2E}",
    lambda t: t.strftime(" %Y-%m-%d %H:%M:%S.%f1234 "),
]

# Around the hour that Berlin skips, the hour it has twice, the present, and the bounds.
MOMENTS = [datetime(2026, 3, 29, 1, 30), datetime(2025, 10, 26, 0, 30), datetime(2026, 3, 30, 12)]  # noqa: DTZ001
offsets = st.one_of(st.integers(-(10**10), 10**10), st.integers(-100, 100).map(lambda minutes: minutes * 60_000_000))
odd_times = st.sampled_from([*NULLS, *(value for value in BAD if isinstance(value, str) and len(value) < 100)])


def moments_near(base: datetime) -> st.SearchStrategy[datetime]:
    return offsets.map(lambda micros: (base + timedelta(microseconds=micros)).replace(tzinfo=UTC))


def times_near(base: datetime) -> st.SearchStrategy[str]:
    """Mostly good, so that rows get past their first cells."""
    written = st.builds(lambda write, moment: write(moment), st.sampled_from(WRITERS), moments_near(base))
    return st.one_of(*[written] * 6, st.just(""), odd_times)


def rows_near(base: datetime) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(
        known_ids, known_ids, id_cells, *[times_near(base)] * 7, id_cells, *[word_cells] * 6, word_cells, word_cells
    )  # fmt: skip


moments = st.sampled_from(MOMENTS).flatmap(moments_near)
time_cells = st.sampled_from(MOMENTS).flatmap(times_near)
plain_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
id_cells = st.one_of(st.sampled_from(["p1", "p1", " p1 ", "P1", "x" * 256, "x" * 257, *NULLS]), plain_texts)
word_cells = st.one_of(
    st.sampled_from(["matched", " Matched", "not_determined", "Male", "female ", "20-29", "70-", "Other", *NULLS]),
    plain_texts,
)
known_ids = st.one_of(st.just("p1"), st.just(" p2 "), st.just("p3"), id_cells)
rows = st.sampled_from(MOMENTS).flatmap(rows_near)

Outcome = tuple[str, object]


def one_by_one(table: Sequence[Sequence[str]], rules: RowRules) -> list[Outcome]:
    columns = map_columns(COLUMNS)
    outcomes: list[Outcome] = []
    for line, row in enumerate(table, start=2):
        fields = {name: row[position] for name, position in columns.fields.items()}
        extra = {name: row[at] for at, name in columns.extra.items() if is_kept(name, row[at])}
        try:
            outcomes.append(("accepted", appearance_of(fields, extra=extra, source=f"upload:u#{line}", rules=rules)))
        except RowError as refused:
            outcomes.append((refused.reason_code, (refused.reason, refused.camera_id)))
    return outcomes


def as_json(table: Sequence[Sequence[str]], rules: RowRules) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for line, row in enumerate(table, start=2):
        try:
            flat = dict(zip(COLUMNS, row, strict=True))
            outcomes.append(("accepted", normalise_event(flat, source=f"upload:u#{line}", rules=rules)))
        except RowError as refused:
            outcomes.append((refused.reason_code, (refused.reason, refused.camera_id)))
    return outcomes


def all_at_once(table: Sequence[Sequence[str]], zone: tzinfo) -> list[Outcome]:
    """Read before enough good rows for the columns to be believed, which are left out of what is told."""
    good = ["p", "c", "", *["2026-03-09 10:00:00"] * 7, *[""] * 9]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *table, *[good] * (len(table) + 1)])
    outcomes: dict[int, Outcome] = {}
    for chunk in read_appearances(io.BytesIO(out.getvalue().encode()), source_prefix="upload:u", now=NOW, zone=zone):
        for item in chunk.items:
            outcomes[int(item.source.partition("#")[2])] = ("accepted", item)
        for reject in chunk.rejects:
            outcomes[reject.row] = (reject.reason_code, (reject.reason, reject.camera_id))
    return [outcomes[line] for line in sorted(outcomes)[: len(table)]]


class TestRows:
    @settings(deadline=None, max_examples=60)
    @given(st.lists(rows, min_size=1, max_size=12), st.sampled_from(ZONES))
    def test_a_row_comes_to_the_same_alone_in_a_table_and_as_json(
        self, table: list[tuple[str, ...]], zone: tzinfo
    ) -> None:
        rules = RowRules(now=NOW, zone=zone)
        expected = one_by_one(table, rules)
        assert all_at_once(table, zone) == expected
        assert as_json(table, rules) == expected

    @settings(deadline=None)
    @given(moments, st.integers(0, 10**9), st.sampled_from(WRITERS), st.sampled_from(ZONES))
    def test_a_good_row_comes_to_the_same_in_every_time_form(
        self, start: datetime, micros: int, write: Callable[[datetime], str], zone: tzinfo
    ) -> None:
        row = ["p", "c", "", write(start), "", write(start + timedelta(microseconds=micros)), *[""] * 13]
        assert all_at_once([row], zone) == one_by_one([row], RowRules(now=NOW, zone=zone))

    @pytest.mark.parametrize(
        ("start", "end", "seconds"),
        [("02:55:00", "02:05:00", 600), ("02:05:00", "02:55:00", 3000), ("01:59:00", "02:00:00", 60)],
    )
    def test_who_stays_while_the_clocks_go_back_leaves_after_coming(self, start: str, end: str, seconds: int) -> None:
        zone = ZoneInfo("Europe/Berlin")
        row = ["p", "c", "", f"2025-10-26 {start}", "", f"2025-10-26 {end}", *[""] * 13]
        rules = RowRules(now=NOW, zone=zone)
        [(word, item)] = all_at_once([row], zone)
        assert isinstance(item, Appearance)
        assert (word, (item.ended_at - item.started_at).total_seconds()) == ("accepted", seconds)
        assert all_at_once([row], zone) == one_by_one([row], rules) == as_json([row], rules)


class TestInsights:
    """The live feed nests the fields of an insight event in blocks, a report has them side by side."""

    T = NOW.timestamp() - 600
    HEAD: ClassVar[dict[str, Any]] = {"event_type": "generative_insight", "event_id": "i1"}
    NESTED: ClassVar[dict[str, Any]] = HEAD | {
        "msg_send_timestamp": T + 12,
        "camera_data": {"camera_id": "c1", "camera_description": "Aisle 3", "analysis_mode": "live"},
        "frame_data": {"utc_time_recorded": T},
        "face_features_data": {"gender_outcome": "Female"},
        "generative_insight": {"insight_name": "crowd", "generative_insight_config": {"people_count": 9}},
    }

    @staticmethod
    def pushed(event: Any) -> Outcome:
        try:
            return "accepted", replace(normalise_event(event, source="upload:u#1", rules=RowRules(now=NOW)), raw={})
        except RowError as refused:
            return refused.reason_code, (refused.reason, refused.camera_id)

    @staticmethod
    def reported(event: Any) -> Outcome:
        lines = json.dumps(event) + "\n" + json.dumps({"camera_id": "c", "utc_time_recorded": 1_770_000_000})
        [chunk] = read_insights(io.BytesIO(lines.encode()), source_prefix="upload:u", now=NOW)
        if chunk.rejects:
            [reject] = chunk.rejects
            return reject.reason_code, (reject.reason, reject.camera_id)
        return "accepted", replace(chunk.items[0], raw={})

    @pytest.mark.parametrize(
        ("event", "outcome"),
        [
            (NESTED, "accepted"),
            (NESTED | {"frame_data": None}, "accepted"),
            (NESTED | {"camera_data": None, "camera_id": "c1"}, "accepted"),
            (HEAD | {"camera_id": "c1", "utc_time_recorded": T, "person_id": "p1"}, "accepted"),
            (HEAD | {"msg_send_timestamp": T, "generative_insight": {"camera_id": "c1"}}, "accepted"),
            (
                HEAD | {"msg_send_timestamp": T, "generative_insight": {"generative_insight_config": {"camera_id": 7}}},
                "accepted",
            ),
            (NESTED | {"camera_data": {"camera_id": ""}}, "missing_camera"),
            (NESTED | {"camera_data": {"camera_id": "c1", "analysis_mode": "forensics"}}, "unknown_event_type"),
            (HEAD | {"camera_id": "c1"}, "missing_start"),
            (NESTED | {"note": "a\0b"}, "bad_encoding"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_an_event_comes_to_the_same_pushed_and_in_a_report(self, event: Any, outcome: str) -> None:
        assert self.pushed(event) == self.reported(event)
        assert self.pushed(event)[0] == outcome


class TestTimestamps:
    @staticmethod
    def scalar(text: str, zone: tzinfo) -> datetime | None:
        try:
            return parse_instant(text, zone)
        except TimestampError:
            return None

    @staticmethod
    def vectorised(texts: Sequence[str], zone: tzinfo) -> list[datetime | None]:
        return as_datetimes(parse_instants(texts, zone))

    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_every_form_alone_and_all_together(self, zone: tzinfo) -> None:
        texts = [value for value, _ in FORMS if isinstance(value, str)] + [v for v in BAD if isinstance(v, str)]
        expected = [self.scalar(text, zone) for text in texts]
        assert self.vectorised(texts, zone) == expected
        assert [self.vectorised([text], zone)[0] for text in texts] == expected

    @settings(deadline=None)
    @given(st.lists(time_cells, min_size=1, max_size=20), st.sampled_from(ZONES))
    def test_any_cells(self, texts: list[str], zone: tzinfo) -> None:
        assert self.vectorised(texts, zone) == [self.scalar(text, zone) for text in texts]

    @settings(deadline=None)
    @given(
        st.datetimes(datetime(1900, 1, 1), datetime(6000, 1, 1)),  # noqa: DTZ001
        st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"]),
        st.sampled_from(ZONES),
    )
    def test_any_local_time(self, local: datetime, form: str, zone: tzinfo) -> None:
        text = local.strftime(form)
        assert self.vectorised([text], zone) == [self.scalar(text, zone)]


class TestDemographics:
    @given(st.lists(st.one_of(word_cells, st.sampled_from([v for v in UNDECIDED if isinstance(v, str)])), min_size=1))
    def test_any_cells(self, values: list[str]) -> None:
        assert age_groups_of(values) == [age_group_of(value) for value in values]
        assert genders_of(values) == [gender_of(value) for value in values]
