"""One refused row by itself: split, corrected and read as its file was."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from services.common.corsight.chunks import RowError, RowRules
from services.common.corsight.csv import read_appearances
from services.common.corsight.files import UnusableFileError
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import REASONS, SUGGESTIONS
from services.gateway.uploads.refused import EVENTS, CsvRows, JsonRows, RowReader, rows_of
from tests.support.vendor_events import appearance_event

NOW = datetime(2026, 3, 11, tzinfo=UTC)
RULES = RowRules(NOW)
HEADER = "Person ID;camera_id;utc_time_started_readable;utc_time_ended_readable;gender_outcome;retain;face_crop_img"
ROW = "p1;door;2026-03-10 10:00;2026-03-10 10:05;Male;TRUE;abc"


def csv_rows(header: str = HEADER) -> CsvRows:
    rows = rows_of(io.BytesIO(f"{header}\n{ROW}\n".encode()))
    assert isinstance(rows, CsvRows)
    return rows


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(RowError) as raised:
        act()
    return raised.value.reason_code, raised.value.reason


def test_every_reason_has_a_suggestion() -> None:
    assert SUGGESTIONS.keys() == REASONS.keys()


@pytest.mark.parametrize(
    "row", [ROW, 'p2;"the ""door""; left";1773140000;1773140100;;;', "p3;tür;3/10/2026 9:00;3/10/2026 9:01;;x;"]
)
def test_a_row_by_itself_reads_as_it_does_in_its_file(row: str) -> None:
    content = f"{HEADER}\n{row}\n".encode()
    [chunk] = read_appearances(io.BytesIO(content), source_prefix="upload:1", now=NOW, zone=ZoneInfo("Asia/Jakarta"))
    rules = RowRules(NOW, ZoneInfo("Asia/Jakarta"))
    assert [csv_rows().read(row.encode(), "upload:1#2", rules)] == chunk.items


def test_a_row_by_itself_is_no_file_whose_columns_could_be_shifted() -> None:
    odd = "2026-03-10 09:00;true;2026-03-10 10:00;2026-03-10 10:05;Male;TRUE;abc"
    content = "\n".join([HEADER, ROW, ROW, ROW, odd]).encode()
    [chunk] = read_appearances(io.BytesIO(content), source_prefix="upload:1", now=NOW)
    assert csv_rows().read(odd.encode(), "upload:1#5", RULES) == chunk.items[-1]
    with pytest.raises(UnusableFileError):
        read_appearances(io.BytesIO(f"{HEADER}\n{odd}\n".encode()), source_prefix="upload:1", now=NOW)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        # Two names without the separator between them.
        (
            "person_id,camera_id_utc_time_started_readable,utc_time_ended_readable",
            ["p1,door,2026-03-10 10:00,2026-03-10 10:05"] * 2,
        ),
        # Epochs that a spreadsheet rounded, of which the readable twin of one is blank.
        (
            "person_id,camera_id,utc_time_started,utc_time_started_readable,utc_time_ended,utc_time_ended_readable",
            ["p1,door,1773100000,2026-03-10 10:00,1773100000,2026-03-10 10:05", "p2,door,1773100000,,1773100000,"],
        ),
    ],
)
def test_a_broken_header_is_read_as_in_its_file(header: str, rows: list[str]) -> None:
    content = "\n".join([header, *rows]).encode()
    reader = rows_of(io.BytesIO(content))
    [chunk] = read_appearances(io.BytesIO(content), source_prefix="upload:1", now=NOW)
    refused = {reject.row: reject.reason_code for reject in chunk.rejects}
    read = []
    for line, row in enumerate(rows, 2):
        act = partial(reader.read, row.encode(), f"upload:1#{line}", RULES)
        if line in refused:
            assert refusal(act)[0] == refused[line]
        else:
            read.append(act())
    assert read == chunk.items
    assert isinstance(reader, CsvRows)
    assert len(reader.header) == reader.columns.width


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, lambda content: b"\xef\xbb\xbf" + content, lambda content: content.decode().encode("utf-16")],
)
def test_the_columns_are_those_of_the_file_however_it_is_packed(pack: Callable[[bytes], bytes]) -> None:
    rows = rows_of(io.BytesIO(pack(f"\n{HEADER}\n{ROW}\n".encode())))
    assert isinstance(rows, CsvRows)
    assert (";".join(rows.header), rows.delimiter) == (HEADER, ";")


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"p1;door", ("wrong_field_count", "2 fields where the header has 7")),
        (f"{ROW}\n{ROW}".encode(), ("wrong_field_count", "the quoting is broken")),
        (b'p1;"door;1;2;3;4;5', ("wrong_field_count", "the quoting is broken")),
        (b"", ("wrong_field_count", "1 fields")),
        (b"p1;d\0or;1;2;3;4;5", ("bad_encoding", "NUL")),
        (b"p1;d\xffor;1;2;3;4;5", ("bad_encoding", "0xff at 5")),
    ],
)
def test_what_is_not_one_row_of_the_file_is_refused(raw: bytes, found: tuple[str, str]) -> None:
    code, reason = refusal(lambda: csv_rows().read(raw, "upload:1#2", RULES))
    assert code == found[0]
    assert found[1] in reason


@pytest.mark.parametrize("field", ["Person ID", "person_id", " PERSON-ID "])
def test_text_is_replaced_in_one_column_named_as_in_the_file_or_by_its_field(field: str) -> None:
    assert csv_rows().replaced(b"p1;p1;p1;p1;p1;p1;p1", field, "p", 'a;"') == b'"a;""1";p1;p1;p1;p1;p1;p1'


def test_a_column_is_also_known_by_what_it_stands_for() -> None:
    assert csv_rows().replaced(ROW.encode(), "gender", "Male", "female") == ROW.replace("Male", "female").encode()


@pytest.mark.parametrize(("cell", "filled"), [("", "till"), (" NULL ", "till"), ("door", "door")])
def test_nothing_to_find_fills_a_blank_cell(cell: str, filled: str) -> None:
    row = ROW.replace("door", "{}")
    assert csv_rows().replaced(row.format(cell).encode(), "camera_id", "", "till") == row.format(filled).encode()


def test_the_whole_row_is_a_field_of_its_own() -> None:
    broken = ROW.replace("Male", "Ma;le")
    assert csv_rows().replaced(broken.encode(), "raw", "Ma;le", "Male") == ROW.encode()
    assert EVENTS.replaced(b'{"a": 1,}', "raw", ",}", "}") == b'{"a": 1}'


def test_a_column_that_the_file_has_not_cannot_be_fixed() -> None:
    assert refusal(lambda: csv_rows().replaced(ROW.encode(), "shoe_size", "4", "5"))[0] == "schema_violation"


def test_a_value_in_a_block_is_named_by_its_path() -> None:
    event = appearance_event()
    event["camera_data"]["camera_id"] = ""
    event["appearance_data"]["utc_time_started"] = 1_773_140_000.25
    raw = json.dumps(event).encode()
    fixed = EVENTS.replaced(raw, "camera_data.camera_id", "", "till")
    fixed = EVENTS.replaced(fixed, "appearance_data.utc_time_started", "000.25", "001.5")
    found = json.loads(fixed)
    assert found["camera_data"]["camera_id"] == "till"
    assert found["appearance_data"]["utc_time_started"] == "1773140001.5"


@pytest.mark.parametrize("field", ["camera_data", "nowhere.camera_id", "camera_data.camera_id.x", "record"])
def test_a_field_that_holds_no_text_cannot_be_fixed(field: str) -> None:
    raw = b'{"camera_data": {"camera_id": "c"}, "record": true}'
    assert refusal(lambda: EVENTS.replaced(raw, field, "c", "d"))[0] == "schema_violation"


def test_elements_of_a_report_read_as_the_report_does() -> None:
    element = {"event_id": "i1", "camera_id": "door", "utc_time_recorded": 1_773_140_000, "loitering_duration": 30}
    rows = rows_of(io.BytesIO(json.dumps([element]).encode()))
    found = rows.read(json.dumps(element).encode(), "upload:1#1", RULES)
    assert isinstance(found, InsightEvent)
    assert (found.insight_id, found.kind, found.duration_seconds) == ("i1", "loitering", 30)


def test_an_insight_is_none_of_a_file_of_appearances() -> None:
    content = json.dumps([{"person_id": "p", "camera_id": "c", "utc_time_started": 1, "utc_time_ended": 2}]).encode()
    rows = rows_of(io.BytesIO(content))
    assert isinstance(rows, JsonRows)
    raw = json.dumps({"event_type": "crowd", "camera_id": "c", "utc_time_recorded": 1_773_140_000}).encode()
    assert refusal(lambda: rows.read(raw, "upload:1#1", RULES))[0] == "schema_violation"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "bad_json"),
        (b'{"a": "\xff"}', "bad_encoding"),
        (b'{"a": "\\u0000"}', "bad_encoding"),
        (b"7", "schema_violation"),
    ],
)
def test_what_is_no_element_is_refused(raw: bytes, code: str) -> None:
    reader: RowReader = EVENTS
    assert refusal(lambda: reader.read(raw, "corsight:webhook#1", RULES))[0] == code
