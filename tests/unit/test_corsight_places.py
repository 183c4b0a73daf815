"""Reading that goes on behind a chunk gives what reading on without a break gives."""

import gzip
import io
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from services.common.corsight.chunks import Chunk, Place, ReadLimits
from services.common.corsight.csv import read_appearances

NOW = datetime(2026, 3, 11, tzinfo=UTC)
HEADER = "person_id,camera_id,utc_time_started_readable,utc_time_ended_readable,camera_description\n"


def row(number: int, description: str = "door") -> str:
    at = f"2026-03-10 10:{number:02}"
    return f"p{number},cam,{at}:00,{at}:30,{description}\n"


def content(*, overlong: str = "") -> bytes:
    lines = [row(number) for number in range(5)]
    lines += [row(5, '"two\nlines"'), "\n", "broken\n", row(6, '"never closed'), overlong]
    return ("\ufeff" + HEADER + "".join(lines) + "".join(row(number) for number in range(7, 12))).encode()


def chunks(file: bytes, behind: Place | None = None) -> list[Chunk[Any]]:
    limits = ReadLimits(max_row_bytes=4_000)
    return list(
        read_appearances(io.BytesIO(file), source_prefix="f", now=NOW, chunk_rows=2, limits=limits, behind=behind)
    )


def rows(found: list[Chunk[Any]]) -> list[tuple[list[Any], list[Any], Place | None]]:
    return [(chunk.items, [astuple(reject) for reject in chunk.rejects], chunk.place) for chunk in found]


def test_reading_goes_on_behind_every_chunk() -> None:
    whole = chunks(content())
    assert len(whole) > 5
    for number, chunk in enumerate(whole, 1):
        assert chunk.place is not None
        assert rows(chunks(content(), chunk.place)) == rows(whole[number:])


def test_a_row_that_is_too_long_hides_the_places_before_it_and_no_others() -> None:
    file = content(overlong="x" * 5_000 + "\n")
    whole = chunks(file)
    assert {chunk.place is None for chunk in whole} == {True, False}
    for number, chunk in enumerate(whole, 1):
        if chunk.place is not None:
            assert rows(chunks(file, chunk.place)) == rows(whole[number:])


def test_the_place_is_the_byte_behind_the_chunk() -> None:
    bom = 3
    assert chunks(content())[0].place == Place(3, bom + len(HEADER) + len(row(0)) + len(row(1)))


def test_a_packed_file_or_one_of_another_encoding_cannot_be_entered_in_the_middle() -> None:
    for file in (gzip.compress(content()), content().decode().removeprefix("\ufeff").encode("utf-16")):
        assert [chunk.place for chunk in chunks(file)] == [None] * len(chunks(file))
