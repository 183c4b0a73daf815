import gzip
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.common.corsight.chunks import ReadLimits
from services.common.corsight.preview import PREVIEW_ROWS, Preview, Refusal, preview
from tests.support.corsight import GOOD, HEADER, NOW, rows
from tests.support.vendor_events import appearance_event

CROWD: dict[str, Any] = {"event_id": "e1", "camera_id": "c1", "utc_time_recorded": 1773046800.5, "kind": "crowd"}


def look(data: bytes | str, *, truncated: bool = False, **options: Any) -> Preview:
    head = data.encode() if isinstance(data, str) else data
    return preview(head, truncated=truncated, now=NOW, **options)


class TestCsv:
    def test_tells_what_the_file_is_and_what_becomes_of_its_rows(self) -> None:
        header = "Person ID;camera_id;utc_time_started;utc_time_ended;camera_de;face_crop_img;free"
        row = "p1;c1;2026-03-09 10:00:00;2026-03-09 10:01:00;Küche;x;y"
        found = look(f"\ufeff{header}\n{row}\np1;c1;soon;2026-03-09 10:01:00;;;\n")
        assert (found.kind, found.format, found.gzipped, found.encoding, found.delimiter) == (
            "appearances", "csv", False, "utf-8", ";",
        )  # fmt: skip
        assert [(column.position, column.header, column.field, column.how) for column in found.columns] == [
            (1, "Person ID", "person_id", "exact"),
            (2, "camera_id", "camera_id", "exact"),
            (3, "utc_time_started", "utc_time_started", "exact"),
            (4, "utc_time_ended", "utc_time_ended", "exact"),
            (5, "camera_de", "camera_description", "truncated"),
            (6, "face_crop_img", None, "image"),
            (7, "free", None, "extra"),
        ]
        good, bad = found.rows
        assert good.item is not None
        assert (good.line, good.reason_code) == (2, None)
        assert good.item["person_id"] == "p1"
        assert good.item["camera_description"] == "Küche"
        assert good.item["started_at"] == "2026-03-09T10:00:00Z"
        assert good.item["extra"] == {"free": "y"}
        assert (bad.line, bad.reason_code, bad.item) == (3, "bad_timestamp", None)
        assert found.missing == []
        assert found.refusal is None
        assert found.warnings == ["column 5 (camera_de) is taken for camera_description"]

    def test_reads_times_in_the_zone_given(self) -> None:
        found = look(rows(GOOD), zone=ZoneInfo("Asia/Jakarta"))
        assert found.rows[0].item is not None
        assert found.rows[0].item["started_at"] == "2026-03-09T03:00:00Z"

    @pytest.mark.parametrize(
        ("start", "end", "matters"),
        [
            ("2026-03-09 10:00:00", "2026-03-09 10:01:00", True),
            ("2026-03-09T10:00:00Z", "2026-03-09T10:01:00+00:00", False),
            ("2026-03-09T10:00:00Z", "2026-03-09 10:01:00", True),
            ("1773050400", "1773050460.5", False),
            ("noon", "dusk", True),
        ],
    )
    def test_tells_whether_the_zone_matters(self, start: str, end: str, matters: bool) -> None:
        row = f"p1,c1,{start},{end},Queue"
        assert [look(rows(row), zone=ZoneInfo(zone)).zone_matters for zone in ("UTC", "Asia/Jakarta")] == [matters] * 2

    def test_shows_the_first_rows_alone(self) -> None:
        assert [row.line for row in look(rows(*[GOOD] * 200)).rows] == list(range(2, PREVIEW_ROWS + 2))

    @pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_leaves_out_the_row_in_which_the_first_bytes_end(self, codec: str, packed: bool) -> None:
        whole = rows(*[GOOD.replace("Queue", "Küche")] * 3).encode(codec)
        head = gzip.compress(whole[:-20]) if packed else whole[:-20]
        found = look(head, truncated=True)
        assert found.gzipped == packed
        assert [row.line for row in found.rows] == [2, 3]
        assert all(row.item is not None and row.item["zone"] == "Küche" for row in found.rows)

    def test_a_packed_head_that_breaks_off_is_read_as_far_as_it_goes(self) -> None:
        packed = gzip.compress(rows(*(f"{GOOD}{n * 7919}" for n in range(20_000))).encode())
        found = look(packed[:30_000], truncated=True)
        assert len(found.rows) == PREVIEW_ROWS
        assert found.refusal is None

    def test_what_is_unpacked_is_bounded(self) -> None:
        found = look(gzip.compress(rows(*[GOOD] * 400_000).encode()))
        assert len(found.rows) == PREVIEW_ROWS

    def test_missing_columns_are_told_beside_those_found(self) -> None:
        found = look("person_id,camera_id,start\n1,2,3\n")
        assert found.missing == ["utc_time_started_readable", "utc_time_ended_readable"]
        assert found.refusal is not None
        assert found.refusal.status == 422
        assert [column.field for column in found.columns] == ["person_id", "camera_id", None]
        assert found.rows == []

    def test_warns_of_rows_of_recorded_video(self) -> None:
        header = f"{HEADER},analysis_mode"
        assert look(rows(f"{GOOD},live", header=header)).warnings == []
        [warning] = look(rows(f"{GOOD},live", f"{GOOD},forensics", header=header)).warnings
        assert warning.startswith("1 of the first 2 rows is of recorded video (forensic), which is kept apart")

    def test_shifted_columns_are_refused_and_not_believed(self) -> None:
        track = "3b617256-1234-4000-8000-000000000003"
        found = look(rows(f"p1,c1,{track},2026-03-09 10:01:00,x"))
        assert found.refusal is not None
        assert "shifted" in found.refusal.detail
        assert [column.confidence for column in found.columns] == [1.0, 1.0, 0.0, 1.0, 0.95]

    @pytest.mark.parametrize("truncated", [False, True])
    def test_a_header_alone_is_refused_only_where_the_file_ends_there(self, truncated: bool) -> None:
        found = look(f"{HEADER}\np1,c1"[: len(HEADER) + 1], truncated=truncated)
        assert found.rows == []
        assert found.refusal == (None if truncated else Refusal(status=422, detail="the file has a header but no rows"))


class TestJson:
    def test_warns_of_elements_of_recorded_video(self) -> None:
        events = [appearance_event(number, now=NOW.timestamp(), analysis_mode="investigate") for number in range(3)]
        [warning] = look(json.dumps(events)).warnings
        assert warning.startswith("3 of the first 3 rows are of recorded video (forensic), which is kept apart")

    def test_tells_what_becomes_of_elements(self) -> None:
        found = look(json.dumps({"data": [CROWD, {"kind": "crowd"}]}))
        assert (found.kind, found.format, found.delimiter, found.columns) == ("insights", "json", None, [])
        assert found.rows[0].item is not None
        assert found.rows[0].item["insight_id"] == "e1"
        assert [(row.line, row.reason_code) for row in found.rows] == [(1, None), (2, "missing_camera")]

    @pytest.mark.parametrize("separator", [",", "\n"])
    def test_leaves_out_the_element_in_which_the_first_bytes_end(self, separator: str) -> None:
        line = json.dumps(CROWD)
        text = ("[" if separator == "," else "") + separator.join([line, line, line])
        found = look(text[:-20], truncated=True)
        assert [(row.line, row.reason_code) for row in found.rows] == [(1, None), (2, None)]

    @pytest.mark.parametrize(("start", "matters"), [(1773046800.5, False), ("2026-03-09 10:00:00", True)])
    def test_tells_whether_the_zone_matters(self, start: float | str, matters: bool) -> None:
        assert look(json.dumps([CROWD | {"utc_time_recorded": start}])).zone_matters is matters

    def test_shows_the_first_elements_alone(self) -> None:
        assert len(look(json.dumps([CROWD] * 200)).rows) == PREVIEW_ROWS

    @pytest.mark.parametrize("opening", ["[", '{"a":', '{"data":'])
    def test_nesting_without_end_is_refused(self, opening: str) -> None:
        found = look(opening * 100_000, truncated=True)
        assert found.refusal is not None
        assert found.refusal.status == 415


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "status", "detail"),
        [
            (b"", 422, "empty"),
            (b"\x89PNG\r\n\x1a\n", 415, "PNG image"),
            (b"person_id\0camera_id\n", 415, "binary"),
            (b"{not json", 415, "begins like JSON"),
            (b"just words\nand more\n", 422, "columns are missing"),
        ],
    )
    def test_are_told_and_never_raised(self, data: bytes, status: int, detail: str) -> None:
        found = look(data)
        assert found.refusal is not None
        assert found.refusal.status == status
        assert detail in found.refusal.detail
        assert found.rows == []

    def test_name_the_file_and_not_its_path(self) -> None:
        for name in ("../../etc/day.csv", "C:\\exports\\day.csv", "day.csv"):
            found = look(b"", file_name=name)
            assert found.refusal is not None
            assert found.refusal.detail == "“day.csv” is empty"

    def test_limits_hold_here_too(self) -> None:
        found = look(rows(*[GOOD] * 2_000), limits=ReadLimits(max_bytes=10_000))
        assert found.refusal is not None
        assert found.refusal.status == 413


def test_nothing_depends_on_the_clock() -> None:
    later = preview(rows(GOOD).encode(), truncated=False, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert later == look(rows(GOOD))
