"""CSV that spreadsheets open safely."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway.csv_export import csv_lines


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1-A1", "-1\n", "-cmd()", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']
)
def test_a_cell_that_would_run_as_a_formula_gets_an_apostrophe(text: str) -> None:
    assert read(csv_lines([(text,)])) == [[f"'{text}"]]


@pytest.mark.parametrize(
    "text",
    ["a=1", "person-1", 'say "hi", twice', "two\nlines", "ünïcode", "", "track:-1", "-12.5", "+1", "-1.5e+09"],
)
def test_other_text_comes_back_as_it_was(text: str) -> None:
    assert read(csv_lines([(text, "x")])) == [[text, "x"]]


def test_numbers_times_and_nothing_are_written_plainly() -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert csv_lines([(1.5, -2, None, at)]) == "1.5,-2,,2026-11-22T12:00:00.000000+00:00\r\n"


def read(text: str) -> list[list[Any]]:
    return list(csv.reader(io.StringIO(text, newline="")))
