import gzip
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.common.corsight.chunks import Chunk, ReadLimits, Reject
from services.common.corsight.files import FileTooLargeError, UnsupportedFileError, UnusableFileError
from services.common.corsight.insight_report import read_insights
from services.common.events.common import isoformat, stable_id
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import REASONS

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NINE = datetime(2026, 3, 9, 9, tzinfo=UTC)
CROWD: dict[str, Any] = {"event_id": "e1", "camera_id": "c1", "utc_time_recorded": NINE.timestamp(), "kind": "crowd"}


@dataclass
class Read:
    items: list[InsightEvent]
    rejects: list[Reject]
    chunks: list[Chunk[InsightEvent]]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject.row, reject.reason_code) for reject in self.rejects]


def read(data: object, **options: Any) -> Read:
    raw = data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    chunks = list(read_insights(io.BytesIO(raw), source_prefix="upload:u1", now=NOW, **options))
    return Read(
        [item for chunk in chunks for item in chunk.items],
        [reject for chunk in chunks for reject in chunk.rejects],
        chunks,
    )


def read_one(**fields: Any) -> InsightEvent:
    (item,) = read([CROWD | fields]).items
    return item


class TestElement:
    def test_becomes_an_insight_event(self) -> None:
        element = {
            "event_id": "e1",
            "person_id": "p1",
            "camera_id": "c1",
            "camera_description": "Aisle 3",
            "utc_time_recorded": NINE.timestamp(),
            "save_insight_time": NINE.timestamp() + 50.25,
            "loitering_duration": 35.5,
            "gender": "Female",
            "age_group": "20-29",
            "severity": 2,
            "face_crop_img": "/9j/4AAQ",
        }
        (item,) = read([element]).items
        assert item == InsightEvent(
            insight_id="e1",
            kind="loitering",
            camera_id="c1",
            started_at=NINE,
            reported_at=datetime(2026, 3, 9, 9, 0, 50, 250_000, tzinfo=UTC),
            source="upload:u1#1",
            duration_seconds=35.5,
            subject_id="p1",
            severity="2",
            age_group="20-29",
            gender="female",
            camera_description="Aisle 3",
            raw={name: value for name, value in element.items() if name != "face_crop_img"},
        )

    @pytest.mark.parametrize("name", ["insight_id", "event_id"])
    def test_is_known_by_the_vendors_id(self, name: str) -> None:
        element = {key: value for key, value in CROWD.items() if key != "event_id"} | {name: "i7"}
        assert read([element]).items[0].insight_id == "i7"

    def test_without_an_id_is_known_by_where_what_when_and_who(self) -> None:
        item = read_one(event_id=None, person_id="p1")
        assert item.insight_id == stable_id("c1", "crowd", isoformat(NINE), "p1")

    @pytest.mark.parametrize("name", ["utc_time_recorded", "utc_time_started", "started_at"])
    def test_starts_when_it_says(self, name: str) -> None:
        element = {"camera_id": "c1", "kind": "crowd", name: "2026-03-09T09:00:00Z"}
        assert read([element]).items[0].started_at == NINE

    def test_a_readable_twin_counts_for_its_own_time_only(self) -> None:
        assert read_one(utc_time_started_readable="2026-03-09 08:00:00").started_at == NINE
        assert read_one(utc_time_recorded_readable="2026-03-09 08:00:00").started_at == NINE - timedelta(hours=1)

    def test_times_without_a_zone_are_in_the_uploads_zone(self) -> None:
        element = CROWD | {"utc_time_recorded": "2026-03-09 16:00:00"}
        assert read([element], zone=ZoneInfo("Asia/Jakarta")).items[0].started_at == NINE

    @pytest.mark.parametrize(
        ("fields", "seconds"),
        [
            ({}, 0.0),
            ({"loitering_duration": 12}, 12.0),
            ({"loitering_duration": "12.5"}, 12.5),
            ({"duration_seconds": 7}, 7.0),
            ({"loitering_duration": None, "duration_seconds": 7}, 7.0),
            ({"utc_time_ended": NINE.timestamp() + 90}, 90.0),
            ({"ended_at": "2026-03-09T09:00:30Z"}, 30.0),
        ],
        ids=str,
    )
    def test_lasts_as_long_as_it_says(self, fields: dict[str, Any], seconds: float) -> None:
        assert read_one(**fields).duration_seconds == seconds

    @pytest.mark.parametrize(
        ("fields", "kind"),
        [
            ({"kind": "crowd", "loitering_duration": 5}, "crowd"),
            ({"kind": "LOITER"}, "loitering"),
            ({"kind": None, "insight_type": "Crowd Detected"}, "crowd"),
            ({"kind": "", "insight_name": "Queue too long"}, "queue_too_long"),
            ({"kind": None, "event_type": "crowd"}, "crowd"),
            ({"kind": None, "event_type": "appearance"}, "crowd"),
            ({"kind": None, "event_type": "appearance", "loitering_duration": 5}, "loitering"),
            ({"kind": None, "event_type": "generative_insight", "insight_name": "loitering at till"}, "loitering"),
            ({"kind": None, "loitering_duration": 5}, "loitering"),
            ({"kind": None}, "crowd"),
        ],
        ids=str,
    )
    def test_is_of_the_kind_it_says_else_of_the_kind_its_fields_say(self, fields: dict[str, Any], kind: str) -> None:
        assert read_one(**fields).kind == kind

    @pytest.mark.parametrize("name", ["people_count", "crowd_count", "count"])
    @pytest.mark.parametrize("value", [7, 7.0, "7"])
    def test_counts_people(self, name: str, value: object) -> None:
        assert read_one(**{name: value}).people_count == 7

    def test_is_reported_at_its_start_where_no_report_time_can_be_told(self) -> None:
        assert read_one(save_insight_time="1.754E+09").reported_at == NINE
        assert read_one(save_insight_time=NOW.timestamp() + 9_000).reported_at == NINE


class TestReasons:
    @pytest.mark.parametrize(
        ("element", "reason_code"),
        [
            (CROWD | {"camera_id": ""}, "missing_camera"),
            (CROWD | {"camera_id": {"a": 1}}, "missing_camera"),
            ({"camera_id": "c1", "kind": "crowd"}, "missing_start"),
            (CROWD | {"utc_time_recorded": "soon"}, "bad_timestamp"),
            (CROWD | {"utc_time_recorded": {"at": 1}}, "bad_timestamp"),
            (CROWD | {"utc_time_recorded": "1.754E+09"}, "timestamp_precision_lost"),
            (CROWD | {"utc_time_recorded": NOW.timestamp() + 301}, "future_timestamp"),
            (CROWD | {"loitering_duration": -1}, "negative_dwell"),
            (CROWD | {"utc_time_ended": NINE.timestamp() - 1}, "negative_dwell"),
            (CROWD | {"loitering_duration": 86_401}, "implausible_dwell"),
            (CROWD | {"loitering_duration": "long"}, "schema_violation"),
            (CROWD | {"people_count": "many"}, "schema_violation"),
            (CROWD | {"people_count": -2}, "schema_violation"),
            (CROWD | {"people_count": 2.5}, "schema_violation"),
            (CROWD | {"event_id": "e" * 257}, "schema_violation"),
            (CROWD | {"note": "a\0b"}, "bad_encoding"),
            (CROWD | {"note": "\ud800"}, "bad_encoding"),
            (5, "schema_violation"),
            (None, "schema_violation"),
            ([CROWD], "schema_violation"),
        ],
        ids=lambda value: str(value)[:80],
    )
    def test_a_broken_element_is_one_refusal_and_the_others_stand(self, element: object, reason_code: str) -> None:
        result = read([CROWD, element, CROWD | {"event_id": "e2"}])
        assert result.reasons == [(2, reason_code)]
        assert reason_code in REASONS
        assert [item.source for item in result.items] == ["upload:u1#1", "upload:u1#3"]
        assert json.loads(result.rejects[0].raw) == element


class TestShapes:
    @pytest.mark.parametrize("wrapper", ["data", "events", "insights"])
    def test_an_array_may_be_wrapped(self, wrapper: str) -> None:
        assert len(read({"metadata": {"msg": "ok", "n": [1]}, wrapper: [CROWD, CROWD]}).items) == 2

    def test_wrappers_may_be_nested(self) -> None:
        assert len(read({"metadata": {}, "data": {"total": 1, "insights": [CROWD]}}).items) == 1

    def test_a_single_object_is_an_element(self) -> None:
        assert len(read(CROWD).items) == 1
        assert len(read(json.dumps(CROWD, indent=2)).items) == 1

    def test_newline_delimited_rows_are_their_lines(self) -> None:
        line = json.dumps(CROWD)
        result = read(f"{line}\n\n{line[:-5]}\n{line}\n")
        assert [item.source for item in result.items] == ["upload:u1#1", "upload:u1#4"]
        assert result.reasons == [(3, "bad_json")]
        assert result.rejects[0].raw == line[:-5].encode()

    def test_a_byte_that_is_no_text_costs_its_own_line_or_element(self) -> None:
        line = json.dumps(CROWD).encode()
        bad = line.replace(b"e1", b"e\xff")
        for data in (b"\n".join([line, bad, line]), b"[" + b",".join([line, bad, line]) + b"]"):
            result = read(data)
            assert result.reasons == [(2, "bad_encoding")]
            assert result.rejects[0].raw == bad
            assert len(result.items) == 2

    @pytest.mark.parametrize("packed", [True, False])
    def test_bom_and_gzip(self, packed: bool) -> None:
        data = b"\xef\xbb\xbf" + json.dumps([CROWD]).encode()
        assert len(read(gzip.compress(data) if packed else data).items) == 1

    def test_chunks_are_as_long_as_asked(self) -> None:
        assert [chunk.rows_total for chunk in read([CROWD] * 5, chunk_rows=2).chunks] == [2, 2, 1]


class TestBrokenDocuments:
    def test_an_array_cut_within_an_element_loses_that_alone(self) -> None:
        whole = json.dumps([CROWD, CROWD, CROWD])
        result = read(whole[:-10])
        assert len(result.items) == 2
        assert result.reasons == [(3, "bad_json")]
        assert whole[:-10].encode().endswith(result.rejects[0].raw)

    def test_an_array_cut_between_elements_says_so(self) -> None:
        result = read({"data": [CROWD, CROWD]}.__repr__().replace("'", '"')[:-2])
        assert len(result.items) == 2
        assert result.reasons == [(3, "bad_json")]

    @pytest.mark.parametrize("broken", ['{"camera_id": }', '{"a": [1, 2}', "nul", '{"a": {"b": 1}, "c"}', '{"a" 1}'])
    def test_a_broken_element_within_an_array_is_one_refusal(self, broken: str) -> None:
        line = json.dumps(CROWD)
        result = read(f"[{line}, {broken}, {line}]")
        assert result.reasons == [(2, "bad_json")]
        assert result.rejects[0].raw.decode().strip(" ,") == broken
        assert len(result.items) == 2

    @pytest.mark.parametrize("separator", [", ", ",\n", "\n"])
    def test_an_open_text_within_an_array_costs_no_neighbour(self, separator: str) -> None:
        line = json.dumps(CROWD)
        body = separator.join([line, '{"camera_id": "c1, "kind": 5}', line, line])
        result = read(f"[{body}]")
        assert [reason for _, reason in result.reasons] == ["bad_json"]
        assert len(result.items) == 3

    @pytest.mark.parametrize("text", ["[", "[]", '{"data": []}'])
    def test_a_report_without_elements_is_refused(self, text: str) -> None:
        with pytest.raises((UnusableFileError, UnsupportedFileError)):
            read(text)

    def test_a_part_of_a_broken_element_is_no_element(self) -> None:
        """The parts look like objects that follow each other."""
        line = json.dumps(CROWD)
        broken = '{"watchlists": [{"watchlist_id": "a"}, {"watchlist_id": "b"}], "camera_id": }'
        result = read(f"[{line}, {broken}, {line}]")
        assert result.reasons == [(2, "bad_json")]
        assert len(result.items) == 2

    def test_stray_brackets_are_passed_over(self) -> None:
        assert {reason for _, reason in read("{}{}}{").reasons} == {"missing_camera", "bad_json"}

    @pytest.mark.parametrize("text", ["{not json", "[what is this"])
    def test_what_only_begins_like_json_is_refused(self, text: str) -> None:
        with pytest.raises(UnsupportedFileError, match="begins like JSON"):
            read(text)

    def test_a_csv_is_no_insight_report(self) -> None:
        with pytest.raises(UnsupportedFileError):
            read("a,b\n1,2\n")

    def test_nesting_without_end_is_refused(self) -> None:
        result = read(f"[{json.dumps(CROWD)},{'[' * 100_000}{']' * 100_000}]")
        assert result.reasons == [(2, "bad_json")]

    def test_a_document_above_the_limit_is_refused(self) -> None:
        with pytest.raises(FileTooLargeError):
            read([CROWD] * 100, limits=ReadLimits(max_bytes=1_000))

    @pytest.mark.parametrize("separator", [",", "\n"])
    def test_an_element_above_the_limit_is_too_large(self, separator: str) -> None:
        line = json.dumps(CROWD)
        body = separator.join([line, json.dumps(CROWD | {"note": "x" * 2_000}), line])
        result = read(f"[{body}]" if separator == "," else body, limits=ReadLimits(max_row_bytes=1_000))
        assert result.reasons == [(2, "too_large")]
        assert len(result.items) == 2
