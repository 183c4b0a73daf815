import gzip
import io
import json
import struct

import pytest

from services.common.corsight.chunks import ReadLimits
from services.common.corsight.files import (
    FileKind,
    FileTooLargeError,
    LineReader,
    UnsupportedFileError,
    UnusableFileError,
    detect_kind,
)

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
CSV = b"person_id,camera_id,utc_time_started,utc_time_ended\n"
INSIGHT = {"camera_id": "c1", "utc_time_recorded": 1753700000, "loitering_duration": 35}
APPEARANCE = {"event_type": "appearance", "appearance_data": {"appearance_id": "a"}, "camera_data": {"camera_id": "c1"}}


class TestDetectKind:
    @pytest.mark.parametrize(
        ("head", "kind"),
        [
            (CSV, FileKind("appearances", "csv")),
            (b"\xef\xbb\xbf" + CSV, FileKind("appearances", "csv")),
            (CSV.decode().encode("utf-16"), FileKind("appearances", "csv")),
            (gzip.compress(CSV), FileKind("appearances", "csv", gzipped=True)),
            (json.dumps([INSIGHT]).encode(), FileKind("insights", "json")),
            (json.dumps({"data": [INSIGHT]}, indent=1).encode(), FileKind("insights", "json")),
            (json.dumps({"insights": []}).encode(), FileKind("insights", "json")),
            (json.dumps([{"event_type": "Crowd detected", "camera_id": "c1"}]).encode(), FileKind("insights", "json")),
            (b'{"data":[\n{"loitering_duration":1}\n]}', FileKind("insights", "json")),
            (f"{json.dumps(INSIGHT)}\n{json.dumps(INSIGHT)}\n".encode(), FileKind("insights", "ndjson")),
            (f'{{"loitering_duration": }}\n{json.dumps(INSIGHT)}\n'.encode(), FileKind("insights", "ndjson")),
            (json.dumps(APPEARANCE).encode(), FileKind("appearances", "json")),
            (json.dumps({"data": {"matches": [APPEARANCE]}}).encode(), FileKind("appearances", "json")),
            (f"{json.dumps(APPEARANCE)}\n{json.dumps(APPEARANCE)}".encode(), FileKind("appearances", "ndjson")),
            (gzip.compress(json.dumps([APPEARANCE]).encode()), FileKind("appearances", "json", gzipped=True)),
            (b'[{"person_id":"p","camera_id":"c","started_at":1,"ended_at":2}]', FileKind("appearances", "json")),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_tells_kind_and_format_by_content(self, head: bytes, kind: FileKind) -> None:
        assert detect_kind(head, "whatever.bin") == kind

    @pytest.mark.parametrize(
        ("head", "what"),
        [
            (PNG, "PNG image"),
            (b"%PDF-1.7", "PDF"),
            (b"PK\x03\x04....", "Excel"),
            (b"<!doctype html>", "HTML"),
            (b"person_id\x00camera_id", "binary"),
            (gzip.compress(PNG), "PNG image"),
            (b"\x1f\x8bnot really", "cannot be unpacked"),
        ],
    )
    def test_refuses_what_is_neither_csv_nor_json(self, head: bytes, what: str) -> None:
        with pytest.raises(UnsupportedFileError, match=what) as refused:
            detect_kind(head, "day.csv")
        assert refused.value.status == 415
        assert "day.csv" in str(refused.value)

    @pytest.mark.parametrize("head", [b"", b" \r\n\n", b"\xef\xbb\xbf", gzip.compress(b"")])
    def test_refuses_an_empty_file(self, head: bytes) -> None:
        with pytest.raises(UnusableFileError, match="empty") as refused:
            detect_kind(head)
        assert refused.value.status == 422


class TestLineReader:
    def lines(self, data: bytes, **limits: int) -> list[tuple[int, bytes]]:
        return list(LineReader(io.BytesIO(data), ReadLimits(**limits)))

    def test_numbers_lines_from_one_and_drops_the_bom(self) -> None:
        assert self.lines(b"\xef\xbb\xbfa\r\n\nb") == [(1, b"a\r\n"), (2, b"\n"), (3, b"b")]

    @pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_reads_utf16_and_gzip_of_it(self, codec: str) -> None:
        bom = "" if codec == "utf-16" else "\ufeff"
        data = f"{bom}grün\n日本\n".encode(codec)
        expected = [(1, "grün\n".encode()), (2, "日本\n".encode())]
        assert self.lines(data) == expected
        assert self.lines(gzip.compress(data)) == expected

    def test_cuts_a_line_above_the_limit_and_goes_on_behind_it(self) -> None:
        reader = LineReader(io.BytesIO(b"a\n" + b"x" * 200_000 + b"\nb\n"), ReadLimits(max_row_bytes=10))
        lines = list(reader)
        assert [number for number, _ in lines] == [1, 2, 3]
        assert [reader.is_overlong(line) for _, line in lines] == [False, True, False]
        assert len(lines[1][1]) == 11

    def test_stops_unpacking_at_the_limit(self) -> None:
        bomb = gzip.compress(b"0,0,0,0\n" * 1_000_000)
        assert len(bomb) < 20_000
        reader = LineReader(io.BytesIO(bomb), ReadLimits(max_bytes=100_000))
        taken: list[tuple[int, bytes]] = []
        with pytest.raises(FileTooLargeError, match="100,000 bytes") as refused:
            taken.extend(reader)
        assert refused.value.status == 413
        assert sum(len(line) for _, line in taken) <= 100_000

    def test_stops_unpacking_a_line_without_end_at_the_limit(self) -> None:
        with pytest.raises(FileTooLargeError):
            self.lines(gzip.compress(b"0" * 5_000_000), max_bytes=1_000_000, max_row_bytes=1_000)

    def test_a_packed_stream_that_breaks_off_gives_what_it_has(self) -> None:
        packed = gzip.compress(b"".join(b"%d,%d\n" % (n * 7919, n * 104729) for n in range(50_000)))
        reader = LineReader(io.BytesIO(packed[: len(packed) // 2]), ReadLimits())
        lines = list(reader)
        assert 1_000 < len(lines) < 50_000
        assert reader.broken_off is not None

    def test_counts_the_files_own_bytes(self) -> None:
        packed = gzip.compress(b"a,b\n" * 1_000)
        reader = LineReader(io.BytesIO(packed), ReadLimits())
        assert len(list(reader)) == 1_000
        assert reader.bytes_consumed == len(packed)
