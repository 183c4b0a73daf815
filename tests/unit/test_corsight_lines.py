import gzip
import io

import pytest

from services.common.corsight.chunks import ReadLimits
from services.common.corsight.files import FileTooLargeError, detect_kind
from services.common.corsight.lines import LineReader


def reader(data: bytes, **limits: int) -> LineReader:
    return LineReader(io.BytesIO(data), detect_kind(data), ReadLimits(**limits))


class TestLineReader:
    def lines(self, data: bytes, **limits: int) -> list[tuple[int, bytes]]:
        return list(reader(data, **limits))

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
        found = reader(b"a\n" + b"x" * 3_000_000 + b"\nb\n", max_row_bytes=10)
        lines = list(found)
        assert [number for number, _ in lines] == [1, 2, 3]
        assert [found.is_overlong(line) for _, line in lines] == [False, True, False]
        assert len(lines[1][1]) == 11

    def test_stops_unpacking_at_the_limit(self) -> None:
        bomb = gzip.compress(b"0,0,0,0\n" * 1_000_000)
        assert len(bomb) < 20_000
        taken: list[tuple[int, bytes]] = []
        with pytest.raises(FileTooLargeError, match="100,000 bytes") as refused:
            taken.extend(reader(bomb, max_bytes=100_000))
        assert refused.value.status == 413
        assert sum(len(line) for _, line in taken) <= 100_000

    def test_stops_unpacking_a_line_without_end_at_the_limit(self) -> None:
        with pytest.raises(FileTooLargeError):
            self.lines(gzip.compress(b"0" * 5_000_000), max_bytes=1_000_000, max_row_bytes=1_000)

    def test_a_packed_stream_that_breaks_off_gives_what_it_has(self) -> None:
        packed = gzip.compress(b"".join(b"%d,%d\n" % (n * 7919, n * 104729) for n in range(50_000)))
        found = reader(packed[: len(packed) // 2])
        lines = list(found)
        assert 1_000 < len(lines) < 50_000
        assert found.broken_off is not None

    def test_counts_the_files_own_bytes(self) -> None:
        packed = gzip.compress(b"a,b\n" * 1_000)
        found = reader(packed)
        assert len(list(found)) == 1_000
        assert found.bytes_consumed == len(packed)
