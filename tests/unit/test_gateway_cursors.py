"""Keyset cursors."""

from datetime import UTC, datetime

import pytest

from services.gateway.cursors import decode_cursor, encode_cursor
from services.gateway.errors import InvalidRequestError

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_cursor_comes_back_exact() -> None:
    found = decode_cursor(encode_cursor("-started_at", AT, "s1"), "-started_at", datetime)
    assert found is not None
    assert (found.value, found.id) == (AT, "s1")
    dwell = decode_cursor(encode_cursor("dwell_seconds", 0.1 + 0.2, "s1"), "dwell_seconds", float)
    assert dwell is not None
    assert dwell.value == 0.1 + 0.2


def test_no_cursor_is_the_first_page() -> None:
    assert decode_cursor(None, "-started_at", datetime) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "!!!",
        "é",
        "e30",
        encode_cursor("dwell_seconds", 1.0, "s1"),
        encode_cursor("-started_at", 1.0, "s1"),
        encode_cursor("-started_at", "2026-11-22T12:00:00", "s1"),
        encode_cursor("-started_at", "soon", "s1"),
    ],
)
def test_a_cursor_of_another_list_or_order_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        decode_cursor(text, "-started_at", datetime)
