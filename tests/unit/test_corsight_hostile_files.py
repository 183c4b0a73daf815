"""Files that are made, or happen, to do harm: each has its clear answer, and none takes much memory."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.corsight.chunks import Chunk, ReadLimits
from services.common.corsight.csv import read_appearances
from services.common.corsight.files import FileTooLargeError, UnsupportedFileError, UnusableFileError
from services.common.corsight.insight_report import read_insights
from tests.support.corsight import GOOD, HEADER, NOW, read, row, rows
from tests.support.repeated import Repeated

CROWD: dict[str, Any] = {"event_id": "e1", "camera_id": "c1", "utc_time_recorded": 1773046800.5, "kind": "crowd"}
MIB = 1 << 20


@contextmanager
def at_most(size: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


def insights(file: Any) -> list[Chunk[Any]]:
    return list(read_insights(file, source_prefix="upload:u1", now=NOW))


class TestBombs:
    def test_unpack_no_further_than_the_limit(self) -> None:
        bomb = gzip.compress(rows(GOOD).encode() + b"\n" * 3_000_000)
        assert len(bomb) < 10_000
        with at_most(100 * MIB), pytest.raises(FileTooLargeError, match="2,000,000 bytes"):
            read(bomb, limits=ReadLimits(max_bytes=2_000_000))

    def test_of_one_line_are_refused_at_their_first_bytes(self) -> None:
        bomb = gzip.compress(b"0" * 50_000_000)
        with at_most(10 * MIB), pytest.raises(UnusableFileError, match="no header"):
            read(bomb)

    @pytest.mark.parametrize("keep", [10, 30, 100])
    def test_a_packed_file_that_is_nearly_all_gone_is_refused(self, keep: int) -> None:
        packed = gzip.compress(rows(*(f"{GOOD}{n * 7919}" for n in range(20_000))).encode())
        with pytest.raises((UnusableFileError, UnsupportedFileError)):
            read(packed[:keep])

    def test_a_packed_report_that_breaks_off_says_so(self) -> None:
        packed = gzip.compress(json.dumps([CROWD | {"note": str(n * 7919)} for n in range(20_000)]).encode())
        chunks = insights(io.BytesIO(packed[: len(packed) // 2]))
        assert sum(len(chunk.items) for chunk in chunks) > 1_000
        assert "breaks off" in chunks[-1].rejects[-1].reason
        assert len([warning for chunk in chunks for warning in chunk.warnings if "is missing" in warning]) == 1


class TestEndlessLines:
    def test_a_first_line_without_end_is_refused_unread(self) -> None:
        file: Any = Repeated(b"person_id,", b"x", 10 * 1024 * MIB)
        with at_most(10 * MIB), pytest.raises(UnusableFileError, match="no header"):
            read_appearances(file, source_prefix="u", now=NOW)
        assert file.tell() <= 4 * MIB

    def test_a_row_without_end_is_one_refusal(self) -> None:
        file: Any = Repeated(rows(GOOD).encode(), b"x", 100 * MIB, f"\n{GOOD}\n".encode())
        with at_most(20 * MIB):
            chunks = list(read_appearances(file, source_prefix="u", now=NOW))
        (chunk,) = chunks
        assert [item.source for item in chunk.items] == ["u#2", "u#4"]
        assert [(reject.row, reject.reason_code) for reject in chunk.rejects] == [(3, "too_large")]
        assert len(chunk.rejects[0].raw) == 65_536

    def test_an_element_without_end_is_one_refusal(self) -> None:
        line = json.dumps(CROWD)
        beginning = f'[{line}, {{"camera_id": "c1", "note": "'.encode()
        file: Any = Repeated(beginning, b'] } , { \\" \\\\', 7 * MIB, f'"}}, {line}]'.encode())
        with at_most(30 * MIB):
            (chunk,) = insights(file)
        assert [item.source for item in chunk.items] == ["upload:u1#1", "upload:u1#3"]
        assert [(reject.row, reject.reason_code) for reject in chunk.rejects] == [(2, "too_large")]


class TestLongReports:
    def test_are_never_held_whole(self) -> None:
        line = json.dumps(CROWD | {"note": "x" * 2_000})
        file: Any = Repeated(f'{{"metadata": {{}}, "data": [{line}'.encode(), f",\n{line}".encode(), 15_000, b"]}")
        total = 0
        with at_most(25 * MIB):
            for chunk in read_insights(file, source_prefix="u", now=NOW):
                assert chunk.rejects == []
                total += len(chunk.items)
        assert total == 15_001

    def test_elements_may_lie_across_blocks(self) -> None:
        line = json.dumps(CROWD | {"note": 'é\\"]}' * 1_000}, ensure_ascii=False)
        text = f"[{', '.join([line] * 2_000)}]"
        chunks = insights(io.BytesIO(text.encode()))
        assert sum(len(chunk.items) for chunk in chunks) == 2_000
        assert not any(chunk.rejects for chunk in chunks)


class TestNesting:
    @pytest.mark.parametrize("opening", ["[", '{"a":', '{"data":', '[{"a":', '{"camera_id": "c1", "a": '])
    @pytest.mark.parametrize("closed", [False, True])
    def test_a_document_nested_too_deep_is_no_report(self, opening: str, closed: bool) -> None:
        depth = 20_000
        closing = "".join({"[": "]", "{": "}"}[mark] for mark in reversed(opening) if mark in "[{") if closed else ""
        with pytest.raises(UnsupportedFileError, match="begins like JSON"):
            insights(io.BytesIO((opening * depth + "1" + closing * depth).encode()))

    def test_a_hundred_thousand_levels_are_one_refusal_among_others(self) -> None:
        line, deep = json.dumps(CROWD), "[" * 100_000 + "]" * 100_000
        (chunk,) = insights(io.BytesIO(f"[{line}, {deep}, {line}]".encode()))
        assert len(chunk.items) == 2
        assert [(reject.row, reject.reason_code) for reject in chunk.rejects] == [(2, "bad_json")]

    def test_a_deep_line_of_newline_delimited_json_is_one_refusal(self) -> None:
        line, deep = json.dumps(CROWD), '{"a":' * 50_000
        (chunk,) = insights(io.BytesIO(f"{line}\n{deep}\n{line}\n".encode()))
        assert len(chunk.items) == 2
        assert [(reject.row, reject.reason_code) for reject in chunk.rejects] == [(2, "bad_json")]


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "<script>", "${x}"])
    def test_a_formula_or_markup_is_text(self, text: str) -> None:
        (item,) = read(row(person_id=text, camera_description=text, free=text)).items
        assert (item.person_id, item.camera_description) == (text.strip(), text.strip())
        assert item.extra == {"free": text}

    def test_a_row_of_a_million_fields_is_one_refusal(self) -> None:
        result = read(rows(GOOD, "," * 100_000, "," * 1_000_000, GOOD))
        assert result.reasons == [(3, "wrong_field_count"), (4, "too_large")]
        assert len(result.items) == 2

    @pytest.mark.parametrize("line", [b"\0", b"\0" * 70_000, GOOD.encode() + b"\0"])
    def test_nul_bytes_cost_their_own_row(self, line: bytes) -> None:
        result = read(b"\n".join([HEADER.encode(), GOOD.encode(), line, GOOD.encode()]))
        assert result.reasons == [(3, "bad_encoding")]
        assert len(result.items) == 2

    def test_an_event_of_too_many_fields_is_refused(self) -> None:
        flat = {"camera_id": "c1", "person_id": "p1"} | {f"f{n}": n for n in range(3_000)}
        (chunk,) = read_appearances(
            io.BytesIO(json.dumps({"appearances": [flat]}).encode()), source_prefix="u", now=datetime.now(UTC)
        )
        assert [(reject.row, reject.reason_code) for reject in chunk.rejects] == [(1, "schema_violation")]


class TestPictures:
    @pytest.mark.parametrize(
        "value",
        [
            "/9j/4AAQSkZJRg" + "A" * 60,
            "/9j/4AAQ SkZJRg " + "A" * 60,
            "iVBORw0KGgo" + "A" * 60 + "==",
            "data:image/jpeg;base64," + "/9j/4AAQ" * 8,
            "Qk1TZXJpYWxpc2Vk" * 20,
            "x" * 5_000,
        ],
    )
    def test_are_known_by_their_look_under_any_name(self, value: str) -> None:
        (item,) = read(row(column=value)).items
        assert item.extra == {}
        flat = {"person_id": "p", "camera_id": "c", "started_at": 1773046800, "ended_at": 1773046801}
        report = {"appearances": [flat | {"block": {"column": value, "list": [value, "kept"]}}]}
        (chunk,) = read_appearances(io.BytesIO(json.dumps(report).encode()), source_prefix="u", now=NOW)
        assert chunk.items[0].extra == {"block": {"list": ["kept"]}}

    @pytest.mark.parametrize("value", ["/9j/", "data: none", "a" * 255, "word " * 60, "https://host/" + "a/" * 200])
    def test_what_is_none_is_kept(self, value: str) -> None:
        (item,) = read(row(column=value)).items
        assert item.extra == {"column": value}

    def test_a_mixed_column_loses_pictures_alone(self) -> None:
        header = f"{HEADER},column"
        result = read(rows(f"{GOOD},kept", f'{GOOD},"data:image/png;base64,{"A" * 64}"', f"{GOOD},x", header=header))
        assert [item.extra for item in result.items] == [{"column": "kept"}, {}, {"column": "x"}]
