import csv
import gzip
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.common.corsight.chunks import DEFAULT_LIMITS, ReadLimits
from services.common.corsight.csv import BULK_LINES, MAX_RECORD_LINES, read_appearances
from services.common.corsight.files import FileTooLargeError, UnsupportedFileError, UnusableFileError
from tests.support.corsight import GOOD, HEADER, NOW, read, row, rows


class TestBrokenRows:
    @pytest.mark.parametrize("bad", ["p1,c1,2026", "a,b,c,d,e,f", "alone", ",,,,,,,,"])
    def test_another_number_of_fields_is_one_refusal(self, bad: str) -> None:
        result = read(rows(GOOD, bad, GOOD))
        assert result.reasons == [(3, "wrong_field_count")]
        assert result.rejects[0].raw == bad.encode()
        assert len(result.items) == 2

    def test_an_unquoted_comma_in_a_name_is_refused_and_not_shifted(self) -> None:
        assert read(rows(GOOD + ", second floor", GOOD)).reasons == [(2, "wrong_field_count")]

    def test_a_file_cut_in_the_middle_of_a_row_keeps_all_but_that(self) -> None:
        whole = rows(*[GOOD] * 5)
        result = read(whole[:-40])
        assert len(result.items) == 4
        assert result.reasons == [(6, "wrong_field_count")]
        assert result.rejects[0].raw == whole[:-40].splitlines()[-1].encode()

    @pytest.mark.parametrize(
        "bad",
        ['p1,c1,"2026-03-09 10:00:00,2026-03-09 10:01:00,Queue', 'p1,c1,a,b,"Queue', '"', 'p1,"c"1,a,b,c'],
    )
    def test_a_quote_that_never_closes_costs_its_own_line_only(self, bad: str) -> None:
        quoted = 'p2,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,"A ""B"", C"'
        result = read(rows(GOOD, bad, GOOD, quoted, bad, GOOD, bad))
        assert [reject[0] for reject in result.reasons] == [3, 6, 8]
        assert {reject[1] for reject in result.reasons} == {"wrong_field_count"}
        assert {reject.raw for reject in result.rejects} == {bad.encode()}
        assert [item.source[-2:] for item in result.items] == ["#2", "#4", "#5", "#7"]
        assert result.items[2].zone == 'A "B", C'

    def test_a_quoted_field_may_run_over_lines(self) -> None:
        result = read(rows(GOOD, 'p2,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,"one\r\n\ntwo, ""three"""', GOOD, "x"))
        assert result.items[1].zone == 'one\r\n\ntwo, "three"'
        assert [item.source[-2:] for item in result.items] == ["#2", "#3", "#6"]
        assert result.reasons == [(7, "wrong_field_count")]

    def test_a_quoted_field_over_too_many_lines_was_never_closed(self) -> None:
        field = "\n" * (MAX_RECORD_LINES + 1)
        result = read(rows(f'p2,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,"{field}"', GOOD))
        assert result.reasons[0] == (2, "wrong_field_count")
        assert len(result.items) == 1

    @pytest.mark.parametrize("bad", [b"p1,c1,1,2,K\xfcche", b"p1,c1,1,2,a\0b", b"\xff\xfe\xfd"])
    def test_bytes_that_are_no_text_are_one_refusal(self, bad: bytes) -> None:
        good = GOOD.replace("Queue", "Café").encode()
        result = read(b"\n".join([HEADER.encode(), good, bad, good]))
        assert result.reasons == [(3, "bad_encoding")]
        assert result.rejects[0].raw == bad
        assert len(result.items) == 2

    def test_text_beyond_ascii_stands(self) -> None:
        (item,) = read(rows("p1,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,Küche 日本")).items
        assert item.zone == "Küche 日本"

    def test_a_stray_carriage_return_is_refused(self) -> None:
        assert read(rows("p1,c1\r,2026-03-09 10:00:00,2026-03-09 10:01:00,x", GOOD)).reasons == [
            (2, "wrong_field_count")
        ]

    def test_a_row_above_the_limit_is_too_large(self) -> None:
        limits = ReadLimits(max_row_bytes=100)
        result = read(rows(GOOD, GOOD + "x" * 500, GOOD), limits=limits)
        assert result.reasons == [(3, "too_large")]
        assert len(result.items) == 2

    def test_what_is_kept_of_a_large_refusal_is_bounded(self) -> None:
        (reject,) = read(rows(GOOD[:-5] + "x" * 200_000 + ",", GOOD)).rejects
        assert len(reject.raw) == 65_536

    def test_blank_lines_are_no_rows(self) -> None:
        result = read(rows("", GOOD, "   ", "\r", GOOD, "", ""))
        assert [item.source[-2:] for item in result.items] == ["#3", "#6"]
        assert result.rejects == []

    @pytest.mark.parametrize("blank", ["", "\r", "   "])
    def test_many_blank_lines_are_passed_over_together_and_counted(self, blank: str) -> None:
        result = read(rows(GOOD, *[blank] * (2 * BULK_LINES), GOOD))
        assert [item.source.partition("#")[2] for item in result.items] == ["2", str(2 * BULK_LINES + 3)]
        assert result.rejects == []

    def test_a_packed_file_that_breaks_off_says_so(self) -> None:
        packed = gzip.compress(rows(*(GOOD + str(n * 7919) for n in range(20_000))).encode())
        result = read(packed[: len(packed) // 2])
        assert len(result.items) > 1_000
        assert result.reasons[-1][1] == "bad_encoding"
        assert "breaks off" in result.rejects[-1].reason
        assert [warning for warning in result.warnings if "behind that is missing" in warning]


class TestFiles:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n"])
    def test_any_delimiter_and_line_end(self, delimiter: str, line_end: str) -> None:
        text = rows(GOOD, GOOD, "broken").replace(",", delimiter).replace("\n", line_end)
        result = read(text)
        assert [item.zone for item in result.items] == ["Queue", "Queue"]
        assert result.reasons == [(4, "wrong_field_count")]
        assert result.rejects[0].raw == b"broken"

    @pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
    def test_any_unicode_encoding_packed_or_not(self, codec: str) -> None:
        data = rows("p1,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,Küche").encode(codec)
        for packed in (data, gzip.compress(data)):
            assert [item.zone for item in read(packed).items] == ["Küche"]

    def test_nothing_read_is_taken_for_empty(self) -> None:
        """pandas by itself reads these as missing values or numbers."""
        (item,) = read(row(person_id="007", camera_id="NA", zone_name="1e3", node="NA")).items
        assert (item.person_id, item.camera_id, item.zone) == ("007", "NA", "1e3")
        assert item.extra == {"node": "NA"}

    def test_lacking_columns_are_told_with_what_was_found(self) -> None:
        with pytest.raises(UnusableFileError, match="missing: camera_id; found: person_id, Start, utc_time_ended"):
            read("person_id,Start,utc_time_ended,utc_time_started\n1,2,3,4\n")

    @pytest.mark.parametrize("text", [HEADER, HEADER + "\n", HEADER + "\n\n \n"])
    def test_a_header_without_rows_is_refused(self, text: str) -> None:
        with pytest.raises(UnusableFileError, match="no rows"):
            read(text)

    def test_a_picture_named_csv_is_refused(self) -> None:
        with pytest.raises(UnsupportedFileError, match="PNG"):
            read(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")

    def test_a_header_that_is_no_text_is_refused(self) -> None:
        with pytest.raises(UnsupportedFileError):
            read(b"\xe4\xf6\xfc,\xdf\n1,2\n")

    def test_a_bomb_is_stopped(self) -> None:
        bomb = gzip.compress(rows(*[GOOD] * 50_000).encode())
        chunks = read_appearances(
            io.BytesIO(bomb), source_prefix="u", now=NOW, chunk_rows=1_000, limits=ReadLimits(max_bytes=2_000_000)
        )
        with pytest.raises(FileTooLargeError):
            list(chunks)

    def test_duplicate_headers_are_warned_of_once(self) -> None:
        text = rows(*["p1,c1,2026-03-09 10:00:00,2026-03-09 10:01:00,c9"] * 5, header=f"{HEADER[:-9]}camera_id")
        result = read(text, chunk_rows=2)
        assert [item.camera_id for item in result.items] == ["c1"] * 5
        assert result.items[0].extra == {"camera_id": "c9"}
        assert result.warnings == ["column 5 (camera_id) repeats camera_id and is not used"]

    def test_chunks_are_as_long_as_asked_and_add_up(self) -> None:
        text = rows(*[GOOD, "bad"] * 25)
        result = read(text, chunk_rows=7)
        assert [chunk.rows_total for chunk in result.chunks] == [7] * 7 + [1]
        assert len(result.items) == len(result.rejects) == 25
        consumed = [chunk.bytes_consumed for chunk in result.chunks]
        assert consumed == sorted(consumed)
        assert consumed[-1] == len(text)

    def test_chunking_changes_nothing(self) -> None:
        text = rows(*[GOOD, "bad", 'p,c,"x', 'p2,c2,2026-03-09 10:00:00,2026-03-09 10:01:00,"a\nb"'] * 4)
        whole = read(text)
        for size in (1, 2, 3, 10):
            cut = read(text, chunk_rows=size)
            assert cut.items == whole.items
            assert cut.rejects == whole.rejects


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=8)

messy_cells = st.one_of(st.text('a" ,\r\n', max_size=5), st.sampled_from(['"a"', '"a,a"', '"a""a"', '""', "a"]))
messy_lines = st.lists(messy_cells, min_size=4, max_size=6).map(",".join)


class TestNothingIsLost:
    @settings(deadline=None)
    @given(tables, st.sampled_from([",", ";", "\t"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    def test_whatever_a_csv_writer_writes_comes_back(
        self, table: Sequence[tuple[str, str]], delimiter: str, quoting: Any
    ) -> None:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
        writer.writerow([*HEADER.split(","), "free"])
        for zone, free in table:
            writer.writerow([*GOOD.split(",")[:4], zone, free])
        result = read(out.getvalue())
        assert result.rejects == []
        assert [item.extra.get("free", "") for item in result.items] == [free for _, free in table]
        nothing = {"", "null", "none", "nan", "n/a", "undefined"}
        zones = [zone.strip() for zone, _ in table]
        assert [item.zone for item in result.items] == [None if zone.lower() in nothing else zone for zone in zones]

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.one_of(st.just(GOOD), st.just(f'{GOOD[:-5]}"Q, ""u"""'), messy_lines), min_size=1, max_size=8))
    @example(['"",p', '"",p', GOOD])
    def test_lines_come_to_the_same_alone_and_together(self, lines: list[str]) -> None:
        text = rows(GOOD, *lines)
        together, alone = read(text), read(text, chunk_rows=1)
        assert together.items == alone.items
        assert together.rejects == alone.rejects

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.none(), st.binary(max_size=30)), max_size=12))
    @example([b"\r "])
    def test_garbage_between_rows_never_harms_them(self, lines: Sequence[bytes | None]) -> None:
        """None is a good row. Garbage that happens to hold line ends or nothing makes rows of its own or none."""
        row = GOOD.replace("Queue", "Küche").encode()
        good = 0
        body = [HEADER.encode(), row]
        for line in lines:
            clean = None if line is None else line.replace(b"\n", b" ").replace(b'"', b"'")
            good += clean is None
            body.append(row if clean is None else clean)
        result = read(b"\n".join(body))
        assert len(result.items) == good + 1
        kept = [line for line in body[1:] if line != row and line.strip(b" \r")]
        assert len(result.rejects) == len(kept)
        for reject in result.rejects:
            assert body[reject.row - 1].rstrip(b"\r") == reject.raw


def test_default_limits_leave_room_for_a_kafka_record() -> None:
    assert DEFAULT_LIMITS.max_row_bytes * 6 < 4 * 1024 * 1024
